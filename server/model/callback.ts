import type { Attempt, DeliveryMethod } from './delivery.js';

/** Where somebody wants to be told the end of what was asked for. */
export interface CallbackWish {
  url: string;
  method: DeliveryMethod;
}

/** Kept with the task: when that has ended, and not before, it is told. */
export interface Callback extends CallbackWish {
  /** The id of the task, or of what was done at once. */
  task: string;
  /** Whose key signs it, and by whose rights it is sent. */
  user: string;
  /** The one data center in which the credentials were good that asked for it. */
  within?: string;
  /** It was done when it was answered: there is no record of a task. */
  atOnce?: true;
  created: string;
  state: 'waiting' | 'delivered' | 'failed';
  attempts: Attempt[];
  /** When it is tried again. */
  next?: string;
}

export const callbacks = {
  name: 'callbacks',
  id: ({ task }: Callback) => task,
  index: ({ state, created }: Callback) => (state === 'waiting' ? [`waiting:${created}`] : []),
};

/** What signs the callbacks of a user. */
export interface CallbackKey {
  user: string;
  sealed: string;
  created: string;
}

export const callbackKeys = { name: 'callback-keys', id: ({ user }: CallbackKey) => user };

export const purposeOfCallbackKey = (user: string) => `callback key of ${user}`;

import { createHmac } from 'node:crypto';

/** How something that was to be told to somebody else's server went, once. */
export interface Attempt {
  at: string;
  /** In milliseconds. */
  took: number;
  /** What was answered; nothing where nobody did. */
  status?: number;
  error?: string;
}

export const arrived = ({ status = 0 }: Attempt) => status >= 200 && status < 300;

export const deliveryMethods = ['POST', 'PUT', 'GET'] as const;
export type DeliveryMethod = (typeof deliveryMethods)[number];

/** Proves to who has the key that it is from us, and is not one of old. */
export const signatureOf = (key: string, timestamp: string, signed: string) =>
  `sha256=${createHmac('sha256', key).update(`${timestamp}.${signed}`).digest('hex')}`;

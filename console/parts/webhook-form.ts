import type { Results } from '../api/types.js';
import type { Field } from './form.js';

export interface WebhookWish {
  name: string;
  url: string;
  events: string[];
  dc: string;
  active: boolean;
}

export const newWebhook: WebhookWish = { name: '', url: '', events: ['*'], dc: '', active: true };

export const webhookFields: readonly Field<WebhookWish>[] = [
  { name: 'url', label: 'URL', isRequired: true, hint: 'it is told there, by POST' },
  {
    name: 'events',
    label: 'What it is told of',
    kind: 'words',
    hint: 'separated by commas: images.created, images.*, tasks.changed; * for all that you may know of',
  },
];

export const activeField: Field<WebhookWish> = {
  name: 'active',
  label: 'Switched on',
  kind: 'check',
  hint: 'switched on again it goes on where it was',
};

export const webhookWish = ({ url, events, active, dc }: Results['GetWebhook']): WebhookWish => ({
  ...newWebhook,
  url,
  events,
  active,
  dc: dc ?? '',
});

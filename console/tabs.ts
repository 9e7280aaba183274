import { prefix } from './base.js';

/** What one window says to the others of the same browser: they have one session together. */
export type Told = { what: 'signed in' } | { what: 'signed out' } | { what: 'ends'; at: string };

const channel = new BroadcastChannel(`slipway${prefix}`);

export const tellTabs = (told: Told) => channel.postMessage(told);

export function hearTabs(listener: (told: Told) => void): () => void {
  const hear = ({ data }: MessageEvent<Told>) => listener(data);
  channel.addEventListener('message', hear);
  return () => channel.removeEventListener('message', hear);
}

import type { Settings } from './config/settings.js';
import type { Deps } from './deps.js';
import { fitsMode } from './model/visibility.js';

/** What a person who starts the daemon wants to know. Its first line is read by programs too. */
export function greet(
  { address, mode, authType, data }: Settings,
  port: number,
  tokenFile: string,
  images: number,
): void {
  const url = `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
  const credentials = authType === 'none' ? '' : ` -H "Authorization: Bearer $(cat ${tokenFile})"`;
  console.log(`Slipway is listening on ${url} (mode ${mode}, ${images} images, data in ${data})

Try next:
  curl ${url}/ping
  curl ${url}/images
  curl${credentials} ${url}/state`);
}

/** What an operator may not have meant. */
export function warn({ log, listing }: Deps, { address, authType, mode }: Settings): void {
  const isLocal = address === 'localhost' || address === '::1' || address.startsWith('127.');
  if (!isLocal) log.warn({ address }, 'listening beyond this machine without TLS: put a proxy with TLS in front');
  if (!isLocal && authType === 'none') log.warn('authType is none: whoever reaches this address may change everything');
  const hidden = listing.sorted.filter((image) => !fitsMode(mode, image)).length;
  if (hidden > 0) log.warn({ mode, hidden }, 'images that may not be shown in this mode are hidden');
}

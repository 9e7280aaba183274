import type { Kind, Reader } from '../../storage/catalog.js';
import { callbackKeys } from '../model/callback.js';
import { secrets } from '../model/secret.js';
import { webhooks } from '../model/webhook.js';

/** Is there anything that can not be opened without the key that sealed it? */
export async function hasSealed(reader: Reader): Promise<boolean> {
  for (const kind of [secrets, callbackKeys, webhooks] as const) {
    for await (const _ of reader.list<object>(kind as Kind<object>)) return true;
  }
  return false;
}

import type { Rules } from '../../imgapi/manifest.js';
import type { Policy } from '../deps.js';

/** What manifests have to satisfy on this server. */
export const rulesOf = ({ mode, channels }: Policy): Rules => ({
  mode,
  channels: channels.length > 0,
  zstd: true,
});

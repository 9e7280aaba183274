import { randomBytes } from 'node:crypto';

/** Its beginning lets programs that look for leaked secrets recognize it. */
export const makeSecret = () => `slipway_${randomBytes(24).toString('base64url')}`;

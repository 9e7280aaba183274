import { z } from 'zod';
import { invalidInput } from '../../../imgapi/errors.js';
import type { Context } from '../../context.js';
import { backUp } from '../../operations/back-up.js';
import { sendLent } from '../send-lent.js';
import { noBody, streamed } from './endpoint.js';

export const TAR = 'application/x-tar';
const PASSPHRASE = 'Backup-Passphrase';

export const whole = streamed({
  name: 'BackUp',
  summary: 'the whole server as it is now, in one tar: every record, file and entry of the audit',
  operation: 'back up',
  query: z.strictObject({}),
  body: noBody,
  status: 200,
  media: TAR,
  takes: { [PASSPHRASE]: 'in base64: under it, what the server keeps secret is in the backup as well' },
  refusals: [],
  send: async (ctx, deps) => {
    const backup = await backUp(deps, passphraseOf(ctx));
    try {
      ctx.status = 200;
      ctx.set('Content-Type', TAR);
      await sendLent(ctx, backup.read(), backup.size);
    } finally {
      await backup.close();
    }
  },
});

const SHORTEST = 8;

function passphraseOf(ctx: Context): string | undefined {
  const given = ctx.get(PASSPHRASE);
  if (given === '') return undefined;
  const passphrase = Buffer.from(given, 'base64').toString();
  if (passphrase.length >= SHORTEST) return passphrase;
  const message = `${PASSPHRASE} is not a passphrase of at least ${SHORTEST} characters, in base64`;
  throw invalidInput([{ field: PASSPHRASE, code: 'Invalid', message }]);
}

import type { Register } from '../command.js';
import { print } from '../output.js';
import { visible } from '../visible.js';

/** The daemon restores, before it serves anybody: no command touches its data directory. */
const how = (file: string) => `A backup is restored by the daemon, when it starts on a data directory that is empty:

  slipwayd --data DIR --restore ${file}
  slipwayd --data DIR --restore ${file} --restore-passphrase FILE     with what is secret in it
  ssh vault cat slipway.tar | slipwayd --data DIR --restore -

All of it is verified first: if it is cut short or damaged, nothing is restored. The next start is without --restore.
The administrator's token is a new one, in DIR/admin-token, unless the backup was made with a passphrase.
`;

export const register: Register = (program, context) => {
  program
    .command('restore')
    .description('show how a backup is restored')
    .argument('[file]', 'what "slipway backup" wrote', 'FILE')
    .addHelpText('after', '\nExamples:\n  slipway restore slipway.tar')
    .action((file: string) => print(context.io, how(visible(file))));
};

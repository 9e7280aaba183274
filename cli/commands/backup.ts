import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { Exchange } from '../../imgapi/exchange.js';
import { atPath } from '../at-path.js';
import type { Register } from '../command.js';
import { CliError } from '../errors.js';
import { DASH } from '../input.js';
import { print } from '../output.js';
import { saveStream } from '../save-stream.js';
import { openSession } from '../session.js';
import { visible } from '../visible.js';

interface Options {
  output: string;
  passphraseFile?: string;
  force?: true;
  quiet?: true;
}

const EXAMPLES = `
The server is as it was at one moment, however long this takes, and goes on meanwhile. Whoever has the file can read all
images and can pretend to be the server's audit: keep it like the data directory itself.

Examples:
  slipway backup -o /backup/slipway.tar
  slipway backup -o - | ssh vault "cat > slipway.tar"
  slipway backup -o slipway.tar --passphrase-file passphrase      with credentials for sources and the TLS key, too`;

export const register: Register = (program, context) => {
  program
    .command('backup')
    .description('save the whole server into one file: images, files, people and the record of what was done')
    .requiredOption('-o, --output <file>', 'into this file; "-": to standard output')
    .option('--passphrase-file <file>', 'what the server keeps secret goes with it, under the passphrase in this file')
    .option('--force', 'replace a file that is there')
    .option('-q, --quiet', 'without progress')
    .addHelpText('after', EXAMPLES)
    .action(async ({ passphraseFile, ...options }: Options, command: Command) => {
      const passphrase = passphraseFile === undefined ? undefined : await passphraseIn(passphraseFile);
      const exchange = new Exchange(await openSession(command, context));
      const headers = { 'backup-passphrase': passphrase && Buffer.from(passphrase).toString('base64') };
      const get = () => exchange.send('GET', '/api/backup', { headers });
      await saveStream(get, exchange, { ...options, label: 'backup' }, context);
      if (options.output !== DASH) await print(context.io, `${visible(options.output)}\n`);
    });
};

async function passphraseIn(path: string): Promise<string> {
  const passphrase = (await atPath(path, readFile(path, 'utf8'))).replace(/\r?\n$/, '');
  if (passphrase.length >= 8) return passphrase;
  throw new CliError(`the passphrase in ${path} has less than 8 characters`);
}

import type { Command } from 'commander';
import type { Register } from '../command.js';
import { DASH } from '../input.js';
import { withImages } from '../managed-image.js';
import { Management } from '../management.js';
import { print } from '../output.js';
import { saveStream } from '../save-stream.js';
import { openSession } from '../session.js';
import { visible } from '../visible.js';

interface Options {
  output?: string;
  origins: boolean;
  dc?: string;
  force?: true;
  quiet?: true;
}

const EXAMPLES = `
Examples:
  slipway export base                                     into base.tar
  slipway export base@1.0.0 -o /media/stick/base.tar
  slipway export base | slipway import - --server remote`;

export const register: Register = (program, context) => {
  program
    .command('export')
    .description('save an image with all that it comes from into one file, for "slipway import" elsewhere')
    .argument('<image>', 'UUID, the beginning of one, NAME or NAME@VERSION')
    .option('-o, --output <file>', 'into this file; "-": to standard output, as into a pipe')
    .option('--no-origins', 'the image alone, for where the others are already')
    .option('--dc <dc>', 'the image of this data center')
    .option('--force', 'replace a file that is there')
    .option('-q, --quiet', 'without progress')
    .addHelpText('after', EXAMPLES)
    .action(async (wanted: string, { output: given, origins, dc, ...options }: Options, command: Command) => {
      const { io } = context;
      const management = new Management(await openSession(command, context));
      const { image } = await withImages({ image: wanted }, { management, io, dc, deletes: false });
      const output = given ?? (io.stdout.isTTY ? fileFor(wanted) : DASH);
      const path = `/api/image/${encodeURIComponent(String(image))}/export`;
      const query = { origins: String(origins), ...(dc !== undefined && { dc }) };
      const get = () => management.exchange.send('GET', path, { query });
      await saveStream(get, management.exchange, { ...options, output, label: wanted }, context);
      if (output !== DASH) await print(io, `${visible(output)}\n`);
    });
};

/** Here, and nowhere else, whatever the image is called. */
const fileFor = (wanted: string) => `${wanted.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^\.+/, '')}.tar`;

import type { Register } from '../command.js';
import { findImage } from '../find-image.js';
import { printJson, sizeText } from '../output.js';
import { printFields } from '../table.js';

const EXAMPLES = `
Examples:
  slipway show base                 the newest version
  slipway show base@1.0.0 --json    the manifest
  slipway show 3a1d2e7c`;

export const register: Register = (program, { io, connect }) => {
  program
    .command('show')
    .description('show an image')
    .argument('<image>', 'UUID, the beginning of one, NAME or NAME@VERSION')
    .option('--channel <name>', 'in this channel; "*" means all')
    .option('-j, --json', 'its manifest, as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (wanted: string, { channel, json }: { channel?: string; json?: true }, command) => {
      const client = await connect(command);
      const image = await findImage(client, wanted, { channel });
      if (json) await printJson(io, image);
      else await printFields(io, image, shown);
    });
};

function shown(name: string, value: unknown): string {
  if (name === 'files' && Array.isArray(value)) return value.map(fileText).join('; ') || 'none';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function fileText(file: unknown): string {
  const { size, compression, sha1 } = Object(file);
  return `${sizeText(Number(size))}, compression ${compression}, sha1 ${sha1}`;
}

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Command } from 'commander';
import { isRecord } from '../../imgapi/checks.js';
import type { ImgapiClient } from '../../imgapi/client.js';
import type { Context, Register } from '../command.js';
import { CliError, tell } from '../errors.js';
import { Damaged, fetchFile, type Wanted } from '../fetch-file.js';
import { fileNameOf, stemOfFile } from '../file-names.js';
import { type Found, findImage } from '../find-image.js';
import { nameAndVersion } from '../image-line.js';
import { DASH, interruptible } from '../input.js';
import { note, print, printJson, sizeText } from '../output.js';
import { PartialFile } from '../partial-file.js';
import { withProgress } from '../progress.js';
import { visible } from '../visible.js';
import { writeWhole } from '../write-whole.js';

interface Options {
  output?: string;
  manifest?: true;
  force?: true;
  channel?: string;
  redirect?: true;
  quiet?: true;
  json?: true;
}

const EXAMPLES = `
Examples:
  slipway download base@1.0.0               into base-1.0.0.zfs.gz
  slipway download base -O /images --manifest
  slipway download base -O - | gunzip | zfs receive zones/base

Until it is whole the file is called FILE.partial; the same command goes on where an earlier one has stopped.`;

export const register: Register = (program, context) => {
  program
    .command('download')
    .description('fetch the file of an image, and verify it')
    .argument('<image>', 'UUID, the beginning of one, NAME or NAME@VERSION')
    .option('-O, --output <file>', 'into this file or directory; "-": to standard output')
    .option('--manifest', 'the manifest as well, into NAME.manifest, as "imgadm install -m" takes it')
    .option('--force', 'replace a file that is there')
    .option('--channel <name>', 'the image of this channel')
    .option('--redirect', 'from the store that has the bytes, where the server keeps them in one')
    .option('-q, --quiet', 'without progress and notes')
    .option('-j, --json', 'print what there is as JSON, instead of the name of the file')
    .addHelpText('after', EXAMPLES)
    .action(async (wanted: string, options: Options, command: Command) => {
      const client = await context.connect(command);
      const image = await findImage(client, wanted, { channel: options.channel });
      await (options.output === DASH
        ? toOutput(client, image, options, context)
        : toFile(client, image, options, context));
    });
};

async function toOutput(client: ImgapiClient, image: Found, options: Options, context: Context): Promise<void> {
  const { io } = context;
  if (options.manifest)
    throw new CliError('--manifest needs a file to lie beside', { hint: 'use "slipway show --json"' });
  if (io.stdout.isTTY) throw new CliError('standard output is a terminal', { hint: 'name a file with -O FILE' });
  const { wanted } = fileOf(image, options);
  const sha1 = createHash('sha1');
  await withProgress(io, taskOf(image, wanted, options), async (advance) => {
    for await (const chunk of fetching(client, wanted, 0, options, context)) {
      sha1.update(chunk);
      await print(io, chunk);
      advance(chunk.length);
    }
  });
  checkSha1(sha1.digest('hex'), wanted);
}

async function toFile(client: ImgapiClient, image: Found, options: Options, context: Context): Promise<void> {
  const { io } = context;
  const { wanted, compression } = fileOf(image, options);
  const target = await targetOf(options.output ?? '.', fileNameOf(image, compression));
  const manifest = join(dirname(target), `${stemOfFile(basename(target))}.manifest`);
  const text = `${JSON.stringify(image, null, 2)}\n`;
  if (options.manifest && !options.force) await refuseOther(manifest, text);
  if (await isThere(target, wanted, options, context)) {
    if (!options.quiet) note(io, `${target} is there already, whole`);
  } else await fetchInto(client, target, image, wanted, options, context);
  if (options.manifest) await writeWhole(manifest, text);
  const result = { uuid: image.uuid, file: target, size: wanted.size, sha1: wanted.sha1 };
  await (options.json
    ? printJson(io, { ...result, ...(options.manifest && { manifest }) })
    : print(io, `${visible(target)}\n`));
}

/** Goes on with what an earlier run has left; where that belongs to something else, begins anew. */
async function fetchInto(
  client: ImgapiClient,
  target: string,
  image: Found,
  wanted: Wanted,
  options: Options,
  context: Context,
): Promise<void> {
  const { io, signal } = context;
  const partial = await PartialFile.open(target);
  const { path } = partial;
  try {
    await withProgress(io, { ...taskOf(image, wanted, options), label: `reading ${path}` }, (advance) =>
      partial.load(wanted.size, { signal, advance }),
    );
    for (;;) {
      const resumed = partial.size > 0;
      await withProgress(io, { ...taskOf(image, wanted, options), done: partial.size }, async (advance) => {
        for await (const chunk of fetching(client, wanted, partial.size, options, context)) {
          await partial.write(chunk);
          advance(chunk.length);
        }
      });
      if (partial.sha1() === wanted.sha1) break;
      if (!resumed) checkSha1(partial.sha1(), wanted);
      await partial.restart();
      if (!options.quiet) note(io, `${path} was not of this image: its file is fetched from the beginning`);
    }
    await partial.finish();
  } catch (error) {
    // what is known to be wrong is of no use to another run
    if (error instanceof Damaged) await partial.restart();
    await partial.leave();
    if (partial.size > 0) {
      note(
        io,
        `${path} keeps ${sizeText(partial.size)} of ${sizeText(wanted.size)}: the same command goes on from there`,
      );
    }
    throw error;
  }
}

const fetching = (client: ImgapiClient, wanted: Wanted, from: number, { quiet }: Options, { io, signal }: Context) =>
  fetchFile(client, wanted, from, {
    signal,
    again: (error) => void (quiet || note(io, `${tell(error).message}; going on`)),
  });

const taskOf = (image: Found, { size }: Wanted, { quiet }: Options) => ({
  label: nameAndVersion(image),
  total: size,
  quiet,
});

function fileOf(image: Found, { channel, redirect }: Options): { wanted: Wanted; compression: unknown } {
  const [file] = Array.isArray(image.files) ? image.files : [];
  if (!isRecord(file) || typeof file.sha1 !== 'string' || !Number.isSafeInteger(Number(file.size))) {
    throw new CliError(`${nameAndVersion(image)} has no file`);
  }
  const { sha1, size, compression } = file;
  return { wanted: { uuid: image.uuid, sha1, size: Number(size), channel, redirect }, compression };
}

async function targetOf(output: string, name: string): Promise<string> {
  const stats = await statOf(output);
  if (stats?.isDirectory()) return join(output, name);
  if (!stats || stats.isFile()) return output;
  throw new CliError(`${output} is no ordinary file`, {
    hint: 'write to standard output with "-O -", and direct that',
  });
}

/** The file may be there, whole, from another time; anything else that is there stays unless it is to be replaced. */
async function isThere(target: string, wanted: Wanted, { force, quiet }: Options, context: Context): Promise<boolean> {
  const stats = await statOf(target);
  if (!stats) return false;
  if (stats.isFile() && stats.size === wanted.size) {
    const task = { label: `reading ${target}`, total: wanted.size, quiet };
    const sha1 = await withProgress(context.io, task, async (advance) => {
      const hash = createHash('sha1');
      const file = createReadStream(target, { highWaterMark: 1024 ** 2, signal: context.signal });
      for await (const chunk of interruptible(file, context.signal)) {
        hash.update(chunk);
        advance(chunk.length);
      }
      return hash.digest('hex');
    });
    if (sha1 === wanted.sha1) return true;
  }
  if (force && stats.isFile()) return false;
  throw exists(target);
}

async function refuseOther(path: string, text: string): Promise<void> {
  const stats = await statOf(path);
  if (stats && (stats.size !== Buffer.byteLength(text) || (await readFile(path, 'utf8')) !== text)) throw exists(path);
}

const exists = (path: string) =>
  new CliError(`${path} exists already, and is something else`, {
    hint: 'write elsewhere with -O, or replace it with --force',
  });

async function statOf(path: string) {
  return stat(path).catch((error: unknown) => {
    if (Object(error).code === 'ENOENT') return undefined;
    throw error;
  });
}

function checkSha1(sha1: string, wanted: Wanted): void {
  if (sha1 === wanted.sha1) return;
  throw new Damaged(`what the server has sent has the sha1 ${sha1}, but the manifest says ${wanted.sha1}`);
}

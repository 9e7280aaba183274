import type { TakenImage, TakeoverProgress, TakeoverReport } from './model/takeover.js';

/** In milliseconds: how often a terminal's line is written again, and how often anything else gets another. */
const EVERY = { terminal: 200, other: 5000 };

/** So many images are named; the report names all. */
const MOST_NAMED = 10;

/** Tells people how far it is, until `end`. */
export function showProgress(out: NodeJS.WriteStream): { update(progress: TakeoverProgress): void; end(): void } {
  const started = Date.now();
  let latest: TakeoverProgress | undefined;
  const draw = () => {
    if (!latest) return;
    const line = progressLine(latest, (Date.now() - started) / 1000);
    out.write(out.isTTY ? `\r\x1b[K${line}` : `${line}\n`);
  };
  const timer = setInterval(draw, out.isTTY ? EVERY.terminal : EVERY.other);
  return {
    update: (progress) => {
      latest = progress;
    },
    end: () => {
      clearInterval(timer);
      if (out.isTTY) out.write('\r\x1b[K');
    },
  };
}

function progressLine({ images, ofImages, bytes, ofBytes, copied }: TakeoverProgress, seconds: number): string {
  const rate = inUnits(copied / Math.max(seconds, 0.001));
  return `taking over: ${images} of ${ofImages} images, ${inUnits(bytes)} of ${inUnits(ofBytes)}, ${rate}/s`;
}

export function summary(
  { directory, what, counts, bytes, images, keys, strays }: TakeoverReport,
  path: string,
): string {
  const { taken, 'already here': here, 'deleted here': deleted, 'not taken': refused } = counts;
  const warned = images.filter(({ warnings }) => warnings.length > 0);
  const added = keys.reduce((sum, file) => sum + file.added, 0);
  const lines = [
    images.length === 0 ? 'there are no images' : `${count(taken, 'image')} taken, ${inUnits(bytes)}`,
    ...(here > 0 ? [`${count(here, 'image')} already here`] : []),
    ...(deleted > 0 ? [`${count(deleted, 'image')} taken earlier and deleted here since: left so`] : []),
    ...(added > 0 ? [`${count(added, 'key')} added`] : []),
    ...named('could not be taken', refused, images, ({ outcome, reasons }) => (outcome === 'not taken' ? reasons : [])),
    ...named('with warnings', warned.length, images, ({ warnings }) => warnings),
    ...keys.flatMap(({ file, reasons }) => reasons.map((reason) => `keys of ${file} could not be taken: ${reason}`)),
    ...(strays.length > 0
      ? [`${count(strays.length, 'stray')} left there: ${strays[0]}${more(strays.length - 1)}`]
      : []),
    `the whole of it: ${path}`,
  ];
  return [`Taken over from ${directory}, ${what}:`, ...lines.map(inOneLine)].join('\n  ');
}

function named(what: string, total: number, images: TakenImage[], why: (image: TakenImage) => string[]): string[] {
  if (total === 0) return [];
  const lines = images
    .filter((image) => why(image).length > 0)
    .map((image) => `  ${image.uuid} ${image.name ?? ''}: ${why(image).join('; ')}`);
  const hidden = lines.length - MOST_NAMED;
  return [
    `${count(total, 'image')} ${what}:`,
    ...lines.slice(0, MOST_NAMED),
    ...(hidden > 0 ? [`  and ${hidden} more`] : []),
  ];
}

const count = (number: number, what: string) => `${number} ${what}${number === 1 ? '' : 's'}`;
const more = (number: number) => (number > 0 ? `, and ${number} more` : '');

/** Others wrote the names in it: nothing in them shall break lines, or move a terminal's cursor. */
const inOneLine = (line: string) => line.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');

const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

function inUnits(bytes: number): string {
  const power = Math.min(bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10), units.length - 1);
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

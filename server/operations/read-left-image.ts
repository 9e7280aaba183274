import { shown } from '../../imgapi/checks.js';
import { ImgapiError } from '../../imgapi/errors.js';
import { type LegacyImage, readLegacyRecord } from '../../imgapi/legacy-record.js';
import type { LeftDirectory, LeftRecord } from '../../storage/sources.js';

/** An image can't be taken, for reasons that lie where it comes from. */
export class NotTaken extends Error {
  override name = 'NotTaken';
  constructor(
    readonly reasons: string[],
    readonly imageName?: string,
  ) {
    super(reasons.join('; '));
  }
}

export interface LeftImage extends LegacyImage {
  warnings: string[];
}

/** From the first of its records that is one. */
export async function readLeftImage(directory: LeftDirectory, uuid: string): Promise<LeftImage> {
  const damaged: string[] = [];
  for (const record of await directory.records(uuid)) {
    const found = await parse(record, uuid);
    if (found instanceof Damage) {
      damaged.push(found.message);
      continue;
    }
    const file = await directory.file(uuid, 'file0');
    const warnings = damaged.map((reason) => `${reason}; read from ${record.path} instead`);
    if (found.text.includes(UNREADABLE)) warnings.push(`${record.path}: holds characters that are no UTF-8`);
    return { ...read(found.value, uuid, directory, file?.modified), warnings };
  }
  throw new NotTaken(damaged.length > 0 ? damaged : ['there is no record of it']);
}

class Damage extends Error {}

/** What stands for bytes that are no character in UTF-8. */
const UNREADABLE = '\ufffd';

interface Parsed {
  text: string;
  value: Record<string, unknown>;
}

/** A record of something else is as bad as none. */
async function parse(record: LeftRecord, uuid: string): Promise<Parsed | Damage> {
  const damage = (what: string) => new Damage(`${record.path}: ${what}`);
  let text: string;
  let value: unknown;
  try {
    text = await record.text();
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return damage('is no JSON');
    return damage(error instanceof Error ? error.message : String(error));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return damage('is no JSON object');
  const found = Object(value);
  if (found.uuid === uuid) return { text, value: found };
  return damage(`its uuid is ${shown(found.uuid)}, not ${uuid}`);
}

function read(value: Record<string, unknown>, uuid: string, { unsaidState }: LeftDirectory, modified?: Date) {
  try {
    return readLegacyRecord(value, { uuid, unsaidState, uploaded: modified?.toISOString() });
  } catch (error) {
    if (!(error instanceof ImgapiError)) throw error;
    const lines = error.errors?.map(({ field, code, message }) => `${field}: ${message ?? wordsFor[code] ?? code}`);
    throw new NotTaken(lines ?? [error.message], typeof value.name === 'string' ? value.name : undefined);
  }
}

const wordsFor: Record<string, string> = { MissingParameter: 'is missing', Invalid: 'is invalid' };

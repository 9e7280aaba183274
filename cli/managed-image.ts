import { isRecord } from '../imgapi/checks.js';
import { ImgapiError } from '../imgapi/errors.js';
import { isUuid } from '../imgapi/image.js';
import type { Context } from './command.js';
import { CliError } from './errors.js';
import { BEGINNING } from './find-image.js';
import type { Management } from './management.js';
import { note } from './output.js';
import type { Fields } from './table.js';
import { visible } from './visible.js';

interface Meant {
  management: Management;
  io: Context['io'];
  /** The data center that is named: the server says which image is called so there. */
  dc: unknown;
  /** What is deleted can not be meant otherwise. */
  deletes: boolean;
}

/** Fields that name images which are there; `POST /api/image/:name` names one to come. */
const NAMING = ['image', 'images', 'replacement'];

/** What is told, with the images as the management API names them: by uuid, or by the name that it gave them. */
export async function withImages(told: Fields, meant: Meant): Promise<Fields> {
  const named = { ...told };
  for (const field of NAMING) {
    if (Object.hasOwn(told, field)) named[field] = await replaced(told[field], meant);
  }
  return named;
}

/** A name, a list of them, or the disks of a machine. */
async function replaced(wanted: unknown, meant: Meant): Promise<unknown> {
  if (typeof wanted === 'string') return imageNamed(wanted, meant);
  if (Array.isArray(wanted)) return Promise.all(wanted.map((one) => replaced(one, meant)));
  return isRecord(wanted) && typeof wanted.image === 'string'
    ? { ...wanted, image: await imageNamed(wanted.image, meant) }
    : wanted;
}

interface Image {
  uuid: string;
  name: string;
  alias: string;
  version: string;
}

async function imageNamed(wanted: string, { management, io, dc, deletes }: Meant): Promise<string> {
  if (isUuid(wanted.toLowerCase())) return wanted.toLowerCase();
  const at = wanted.lastIndexOf('@');
  const [alias, version] = at > 0 ? [wanted.slice(0, at), wanted.slice(at + 1)] : [wanted, undefined];
  if (version === undefined && dc !== undefined && !BEGINNING.test(wanted)) return wanted;
  const listed = await imagesLike(management, alias);
  const called = listed.filter((image) => image.alias === alias && [undefined, image.version].includes(version));
  const kept = version === undefined ? listed.filter(({ name }) => name === wanted) : [];
  if (kept.length > 0) {
    const others = called.filter(({ name }) => name !== wanted);
    if (others.length > 0 && deletes) throw ambiguous(wanted, [...kept, ...others]);
    if (others.length > 0)
      note(io, `"${wanted}" is ${kept.map(lineOf).join(', ')}, not ${others.map(lineOf).join(', ')}`);
    return wanted;
  }
  const begun = BEGINNING.test(wanted) ? listed.filter(({ uuid }) => uuid.startsWith(wanted.toLowerCase())) : [];
  const [first, ...others] = called.length > 0 ? called : begun;
  if (first && others.length > 0) throw ambiguous(wanted, [first, ...others]);
  return first?.uuid ?? wanted;
}

/** Who may list none may have one nevertheless: the server answers for the name as it is. */
async function imagesLike(management: Management, search: string): Promise<Image[]> {
  try {
    const { result } = await management.ask('GET', '/api/image', { query: { full: 'true', search } });
    return Array.isArray(result) ? result.filter(isRecord).map(asImage) : [];
  } catch (error) {
    if (error instanceof ImgapiError && error.code === 'NotPermitted') return [];
    throw error;
  }
}

const asImage = ({ uuid, name, alias, version }: Record<string, unknown>): Image => ({
  uuid: String(uuid),
  name: String(name),
  alias: String(alias),
  version: String(version),
});

const lineOf = ({ uuid, name, alias, version }: Image) => `${uuid} (${alias}@${version}, managed as ${name})`;

function ambiguous(wanted: string, images: readonly Image[]): CliError {
  const lines = images.map((image) => `\n  ${visible(lineOf(image))}`);
  return new CliError(`"${wanted}" may be any of ${images.length} images:${lines.join('')}`, {
    hint: 'name one of them by its uuid',
  });
}

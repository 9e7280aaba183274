import { ImgapiError, invalidInput } from '../../imgapi/errors.js';
import { isUuid } from '../../imgapi/image.js';
import type { Reader } from '../../storage/catalog.js';
import { type Caller, isOperator } from '../model/caller.js';
import { images } from '../model/image.js';
import { answer, mayAsk, type Operation, refusalOf } from '../model/permissions.js';
import { isManaged, type ManagedImage, placementOf } from '../model/registration.js';
import { isIn } from '../model/visibility.js';
import type { Directory } from './directory.js';

/** An image as management addresses it: by its name, or by its uuid. */
export interface Named {
  image: string;
  /** In which data center it is meant; wherever the caller sees it where this is absent. */
  dc?: string | undefined;
}

export const notPermitted = (operation: Operation, what?: string) =>
  new ImgapiError('NotPermitted', refusalOf(operation, what));

export const noSuchImage = (name: string) => new ImgapiError('ResourceNotFound', `there is no image "${name}"`);

/** Whoever may do it nowhere is told so; what is hidden is answered like what is absent; then what may not be touched. */
export async function findManagedImage(
  reader: Reader,
  directory: Directory,
  caller: Caller,
  operation: Operation,
  { image: name, dc }: Named,
): Promise<ManagedImage> {
  if (!mayAsk(caller, operation)) throw notPermitted(operation);
  if (dc !== undefined) checkDatacenter(directory, caller, dc);
  const found: ManagedImage[] = [];
  for (const image of await imagesNamed(reader, name)) {
    if (answer(caller, operation, { image }) === 'hidden') continue;
    if (dc === undefined || isIn(placementOf(image), new Set([dc]))) found.push(image);
  }
  const own = found.filter(({ registration }) => dc !== undefined && registration.boundTo === dc);
  const [image, ...others] = own.length > 0 ? own : found;
  if (!image) throw noSuchImage(name);
  if (others.length > 0) throw ambiguous(caller, name, [image, ...others]);
  if (answer(caller, operation, { image }) === 'forbidden') throw notPermitted(operation);
  return image;
}

/** As a parameter names it: one that is hidden is not there. */
export function checkDatacenter({ datacenters }: Directory, caller: Caller, dc: string): void {
  if (datacenters.has(dc) && (isOperator(caller) || (caller.kind === 'user' && caller.rights.member.has(dc)))) return;
  throw invalidInput([{ field: 'dc', code: 'Invalid', message: `dc: there is no data center "${dc}"` }]);
}

export async function imagesNamed(reader: Reader, name: string): Promise<ManagedImage[]> {
  if (isUuid(name)) {
    const image = await reader.get(images, name);
    return isManaged(image) ? [image] : [];
  }
  const named: ManagedImage[] = [];
  for await (const { record } of reader.range(images, 'name', { prefix: `${name}/` })) {
    if (isManaged(record)) named.push(record);
  }
  return named;
}

export function ambiguous(caller: Caller, name: string, found: readonly ManagedImage[]): ImgapiError {
  const visible = (dc: string) => isOperator(caller) || (caller.kind === 'user' && caller.rights.member.has(dc));
  const where = [...new Set(found.flatMap(({ registration }) => registration.datacenters.filter(visible)))].sort();
  const say = where.length > 0 ? `, in ${where.join(', ')}: say which by dc, or by uuid` : ': say which by uuid';
  const message = `dc: several images are named "${name}"${say}`;
  return invalidInput([{ field: 'dc', code: 'MissingParameter', message }]);
}

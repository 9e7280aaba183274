import { ImgapiError } from '../../imgapi/errors.js';
import type { Reader } from '../../storage/catalog.js';
import { images } from '../model/image.js';
import { type Copy, copyId, nodeImages, spelledCopy, usesCopy } from '../model/node-image.js';
import { vmsOf } from './check-unused.js';

const NAMED = 9;

/** Refuses to take away what machines of the node are made of, or other images that are there. For those who see all. */
export async function checkCopyUnused(reader: Reader, copy: Copy): Promise<void> {
  const machines: string[] = [];
  for await (const vm of vmsOf(reader, copy.image)) if (usesCopy(vm, copy)) machines.push(vm.hostname);
  if (machines.length > 0) throw new ImgapiError('ImageInUse', `${spelledCopy(copy)} is used by ${listed(machines)}`);
  const built: string[] = [];
  for await (const { record } of reader.range(images, 'origin', { prefix: copy.image })) {
    if (await reader.get(nodeImages, copyId({ ...copy, image: record.uuid }))) built.push(record.uuid);
  }
  if (built.length === 0) return;
  throw new ImgapiError('ImageHasDependentImages', `${spelledCopy(copy)} is the origin of ${listed(built)} there`);
}

function listed(names: readonly string[]): string {
  const others = names.length - NAMED;
  return [...names.slice(0, NAMED), ...(others > 0 ? [`${others} others`] : [])].join(', ');
}

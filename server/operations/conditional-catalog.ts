import { ImgapiError } from '../../imgapi/errors.js';
import type { Catalog, Reader } from '../../storage/catalog.js';
import { wrappedCatalog } from '../../storage/wrapped-catalog.js';
import type { RecordTag } from '../model/record-tag.js';

/** The record that is meant; throws the refusal where the caller finds none. */
export type Finding = (reader: Reader) => object | Promise<object>;

/** Throws where something else is there than was expected. */
export type Check = (reader: Reader) => Promise<void>;

interface Condition {
  find: Finding;
  tagOf: RecordTag;
  /** Absent where anything will do. */
  check?: Check | undefined;
  /** Hears of the tag that a write has left; of none where the record is gone, or hidden from the caller. */
  onLeft(tag: string | undefined): void;
}

/**
 * The catalog in the hands of somebody who has seen a record and is about to change it: the first write looks whether it
 * is still the same, so that nobody is overwritten who came between.
 */
export function conditionalCatalog(catalog: Catalog, { find, tagOf, check, onLeft }: Condition): Catalog {
  let isChecked = check === undefined;
  return wrappedCatalog(catalog, {
    write: async (change) => {
      let left: object | undefined;
      const result = await catalog.write(async (tx) => {
        if (!isChecked) await check?.(tx);
        const changed = await change(tx);
        left = await foundIfThere(find, tx);
        return changed;
      });
      isChecked = true;
      onLeft(left && tagOf(left));
      return result;
    },
  });
}

/** Nothing where the caller finds none. */
export async function foundIfThere(find: Finding, reader: Reader): Promise<object | undefined> {
  try {
    return await find(reader);
  } catch (error) {
    if (error instanceof ImgapiError) return undefined;
    throw error;
  }
}

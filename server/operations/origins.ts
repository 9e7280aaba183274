import type { Image } from '../../imgapi/image.js';
import type { Reader } from '../../storage/catalog.js';
import { images } from '../model/image.js';
import type { RegisteredImage } from '../model/registration.js';

/** What an image comes from, nearest first, each once; without a record where an origin is gone. */
export async function* originsOf(
  reader: Reader,
  image: Pick<Image, 'origin'>,
): AsyncGenerator<{ uuid: string; record: RegisteredImage | undefined }> {
  const seen = new Set<string>();
  for (let uuid = image.origin; uuid !== undefined && !seen.has(uuid); ) {
    seen.add(uuid);
    const record: RegisteredImage | undefined = await reader.get(images, uuid);
    yield { uuid, record };
    uuid = record?.origin;
  }
}

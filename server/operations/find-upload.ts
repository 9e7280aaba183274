import { selectChannel } from '../../imgapi/channels.js';
import { ImgapiError, invalidInput } from '../../imgapi/errors.js';
import { isUuid } from '../../imgapi/image.js';
import type { Reader } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import type { Caller } from '../model/caller.js';
import { modeLaw } from '../model/modes.js';
import { mayAsk } from '../model/permissions.js';
import { placementOf } from '../model/registration.js';
import type { Grant } from '../model/token.js';
import { isOver, seesUpload, type Upload, uploads } from '../model/upload.js';
import { canRead, isIn } from '../model/visibility.js';
import type { Target } from './find-image.js';
import { imagesNamed, type Named, notPermitted } from './find-managed-image.js';

/** Who sends a file, and what the credentials are good for. */
export interface Sender {
  caller: Caller;
  own: Grant;
}

export const noSuchUpload = (id: string) => new ImgapiError('ResourceNotFound', `there is no upload "${id}"`);

/** Absent and hidden are the same refusal. */
export async function findUpload(
  { catalog, now }: Pick<Deps, 'now'> & { catalog: Reader },
  caller: Caller,
  id: string,
): Promise<Upload> {
  const upload = await catalog.get(uploads, id);
  if (!upload || !seesUpload(caller, upload)) throw noSuchUpload(id);
  if (isOver(upload, now())) throw new ImgapiError('Gone', `upload ${id} has waited too long for its next part`);
  return upload;
}

/** Those that the caller may go on with, and the ones that have just ended; the newest first. */
export async function listUploads({ catalog, now }: Deps, caller: Caller): Promise<Upload[]> {
  const found: Upload[] = [];
  for await (const upload of catalog.list(uploads)) {
    if (seesUpload(caller, upload) && !isOver(upload, now())) found.push(upload);
  }
  return found.sort((a, b) => (a.created < b.created ? 1 : -1));
}

/** The image as whoever adds its file means it, whatever channel it is in. */
export function targetOfUpload({ directory, policy }: Deps, caller: Caller, uuid: string): Target {
  if (modeLaw[policy.mode].fleet && !mayAsk(caller, 'upload')) throw notPermitted('upload', 'upload images');
  const channel = selectChannel(policy.channels, '*', { star: true });
  return { caller, mode: policy.mode, open: directory.openDatacenters, uuid, channel, operation: 'upload' };
}

/** What is hidden is not there; what has its file for good is of no use. */
export async function findUuid(deps: Deps, caller: Caller, { image: name, dc }: Named): Promise<string> {
  const target = targetOfUpload(deps, caller, name);
  if (isUuid(name)) return name;
  const named = modeLaw[target.mode].fleet
    ? (await imagesNamed(deps.catalog, name)).filter(
        (image) => dc === undefined || isIn(placementOf(image), new Set([dc])),
      )
    : deps.listing.sorted.filter((image) => image.name === name);
  const seen = named.filter((image) => canRead(target, image));
  const open = seen.filter(({ activated }) => !activated);
  const [first, ...others] = open.length > 0 ? open : seen;
  if (!first) throw new ImgapiError('ResourceNotFound', `there is no image "${name}"`);
  if (others.length === 0) return first.uuid;
  const message = `image: several images are named "${name}": say which by its uuid`;
  throw invalidInput([{ field: 'image', code: 'Invalid', message }]);
}

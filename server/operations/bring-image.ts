import type { Draft } from '../../imgapi/draft.js';
import type { Tx } from '../../storage/catalog.js';
import { publishAll } from '../../storage/holdings.js';
import type { Received } from '../../storage/receive.js';
import type { Deps } from '../deps.js';
import { activate, fileHolder, iconHolder, withIcon } from '../model/image.js';
import type { RegisteredImage } from '../model/registration.js';
import { checkQuota } from './check-quota.js';
import { checkWidening } from './check-widening.js';
import type { Target } from './find-image.js';
import { type ImportOptions, prepareImport } from './import-image.js';
import type { Reservation } from './reservations.js';
import { saveImage } from './save-image.js';
import { storedForm } from './upload.js';
import type { FileDetails } from './upload-file.js';

export interface Brought {
  /** Few images have more than one. */
  files: readonly { arrived: Received; details: FileDetails & { digest?: string; uncompressedDigest?: string } }[];
  icon?: { arrived: Received; contentType: string };
}

export interface BringOptions extends ImportOptions {
  /** What is said of the image beside its manifest. */
  shape?: (image: RegisteredImage) => RegisteredImage;
  reservation?: Reservation;
  /** What else belongs into the write that makes it. */
  along?: (tx: Tx, image: RegisteredImage) => Promise<void>;
}

/**
 * An image that came whole, with its file: registered, published and active in one write, or not there at all. Whatever
 * is not needed of what arrived is thrown away.
 */
export async function bringImage(
  deps: Deps,
  target: Target,
  draft: Draft,
  { files, icon }: Brought,
  options: BringOptions,
): Promise<RegisteredImage> {
  const { catalog, blobs, now } = deps;
  const { shape = (image) => image, reservation, along } = options;
  const arrivals = [...files.map(({ arrived }) => arrived), ...(icon ? [icon.arrived] : [])];
  return publishAll({ catalog, blobs }, arrivals, async (tx, hold) => {
    const { existing, image: bare } = await prepareImport(deps, tx, target, draft, options);
    const at = now();
    const shaped = shape(bare);
    const stored = files.map(({ arrived, details }) => ({ ...storedForm(arrived.content, at), ...given(details) }));
    const filled = { ...shaped, files: stored };
    const whole = icon ? withIcon(filled, iconOf(icon, at)) : filled;
    const image: RegisteredImage = { ...shaped, ...activate(whole, at) };
    await checkWidening(tx, target, existing, image);
    await checkQuota(deps, tx, existing, image, reservation);
    for (const [index, { arrived }] of files.entries()) await hold(arrived, fileHolder(image.uuid, index));
    if (icon) await hold(icon.arrived, iconHolder(image.uuid));
    await saveImage(tx, existing, image, at);
    await along?.(tx, image);
    return image;
  });
}

const iconOf = ({ arrived, contentType }: NonNullable<Brought['icon']>, at: Date) => ({
  ...storedForm(arrived.content, at),
  contentType,
});

const given = ({ dataset_guid, ...details }: Brought['files'][number]['details']) => ({
  ...details,
  ...(dataset_guid !== undefined && { dataset_guid }),
});

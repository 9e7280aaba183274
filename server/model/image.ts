import { ImgapiError } from '../../imgapi/errors.js';
import type { Image, ImageFile, ImageIcon, State } from '../../imgapi/image.js';
import { nameIndex, type RegisteredImage, versionIndex } from './registration.js';

export const images = {
  name: 'images',
  id: (image: RegisteredImage) => image.uuid,
  index: ({ registration, ...image }: RegisteredImage) => [
    ...(image.origin ? [`origin:${image.origin}`] : []),
    ...(registration ? [nameIndex(registration), versionIndex(image)] : []),
  ],
  resident: ['name'],
};

/** What the image holds of the blob store: holder → content. */
export function holdingsOf(image: Image | undefined): Map<string, { sha256: string; size: number }> {
  const held = new Map<string, { sha256: string; size: number }>();
  image?.files.forEach((file, index) => {
    held.set(fileHolder(image.uuid, index), file);
  });
  if (image?.icon) held.set(iconHolder(image.uuid), image.icon);
  return held;
}

export const fileHolder = (uuid: string, index: number) => `images/${uuid}/file${index}`;
export const iconHolder = (uuid: string) => `images/${uuid}/icon`;

function settledState({ activated, disabled, state }: Image): State {
  if (activated) return disabled ? 'disabled' : 'active';
  return state === 'creating' || state === 'failed' ? state : 'unactivated';
}

/** With the state that its flags come to. */
export const settle = (image: Image): Image => ({ ...image, state: settledState(image) });

export function activate({ expires_at: _, ...image }: Image, now: Date): Image {
  if (image.activated) throw new ImgapiError('ImageAlreadyActivated', `image ${image.uuid} is already activated`);
  if (image.files.length === 0) throw new ImgapiError('NoActivationNoFile', `image ${image.uuid} has no file`);
  return settle({ ...image, activated: true, published_at: image.published_at ?? now.toISOString() });
}

export const disable = (image: Image): Image => settle({ ...image, disabled: true });
export const enable = (image: Image): Image => settle({ ...image, disabled: false });

export function withFile(image: Image, file: ImageFile): Image {
  if (image.activated) {
    throw new ImgapiError('ImageAlreadyActivated', `image ${image.uuid} was activated while its file arrived`);
  }
  return { ...image, files: [file] };
}

export const withIcon = (image: Image, icon: ImageIcon): Image => ({ ...image, icon });

export function withoutIcon({ icon, ...image }: Image): Image {
  if (!icon) throw new ImgapiError('ResourceNotFound', `image ${image.uuid} has no icon`);
  return image;
}

export function withChannel(image: Image, channel: string): Image {
  const channels = image.channels ?? [];
  return channels.includes(channel) ? image : { ...image, channels: [...channels, channel] };
}

export const withoutChannel = (image: Image, channel: string): Image => ({
  ...image,
  channels: image.channels?.filter((name) => name !== channel) ?? [],
});

export const sharedWith = (image: Image, accounts: string[]): Image => ({
  ...image,
  acl: [...new Set([...(image.acl ?? []), ...accounts])],
});

export const notSharedWith = (image: Image, accounts: string[]): Image => ({
  ...image,
  acl: (image.acl ?? []).filter((account) => !accounts.includes(account)),
});

/** A record that an import may overwrite: somebody announced the image and it is still on its way. */
export const isPlaceholder = (image: Image) => image.state === 'creating' && !image.activated;

export const isExpired = (image: Image, now: Date) =>
  (image.state === 'creating' || image.state === 'failed') &&
  image.expires_at !== undefined &&
  Date.parse(image.expires_at) <= now.getTime();

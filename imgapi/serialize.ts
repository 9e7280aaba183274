import { createHash } from 'node:crypto';
import type { Image, ImageFile, Mode } from './image.js';

/** What the one who asks is shown. */
export interface View {
  mode: Mode;
  /** The client knows of channels: see acceptVersion. */
  channels: boolean;
  admin: boolean;
}

type Emit = (image: Image, view: View) => unknown;

const filled = <T>(list: T[] | undefined) => (list && list.length > 0 ? list : undefined);
const notPublic = (view: View) => view.mode !== 'public';

/** The wire form, in its order. A field is left out where its row comes to nothing. */
const emits: Record<string, Emit> = {
  v: (image) => image.v,
  uuid: (image) => image.uuid,
  owner: (image) => image.owner,
  name: (image) => image.name,
  version: (image) => image.version,
  state: (image) => image.state,
  disabled: (image) => image.disabled,
  public: (image) => image.public,
  published_at: (image) => image.published_at,
  type: (image) => (image.type === 'null' ? undefined : image.type),
  os: (image) => (image.os === 'null' ? undefined : image.os),
  files: (image, view) => image.files.map((file) => presentFile(file, view)),
  acl: (image) => filled(image.acl),
  description: (image) => image.description || undefined,
  homepage: (image) => image.homepage || undefined,
  eula: (image) => image.eula || undefined,
  icon: (image) => (image.icon ? true : undefined),
  urn: (image) => image.urn || undefined,
  requirements: (image) => image.requirements,
  users: (image) => image.users,
  generate_passwords: (image) => image.generate_passwords,
  inherited_directories: (image) => image.inherited_directories,
  origin: (image) => image.origin,
  nic_driver: (image) => image.nic_driver || undefined,
  disk_driver: (image) => image.disk_driver || undefined,
  cpu_type: (image) => image.cpu_type || undefined,
  image_size: (image) => image.image_size || undefined,
  tags: (image) => image.tags,
  billing_tags: (image, view) => (notPublic(view) ? filled(image.billing_tags) : undefined),
  traits: (image, view) => (notPublic(view) && filled(Object.keys(image.traits ?? {})) ? image.traits : undefined),
  error: (image) => (image.state === 'failed' ? image.error : undefined),
  channels: (image, view) => (view.channels ? image.channels : undefined),
};

function presentFile({ sha1, size, compression, dataset_guid, stor }: ImageFile, { admin }: View) {
  return {
    sha1,
    size,
    compression,
    ...(dataset_guid && { dataset_guid }),
    ...(admin && { stor }),
  };
}

export function serialize(image: Image, view: View): Record<string, unknown> {
  const members = Object.entries(emits).map(([name, emit]): [string, unknown] => [name, emit(image, view)]);
  return Object.fromEntries(members.filter(([, value]) => value !== undefined));
}

/** Of the manifest as the client gets it, so it depends on the view. */
export function etagOf(manifest: Record<string, unknown>): string {
  return createHash('sha1').update(JSON.stringify(manifest)).digest('hex');
}

import { tagsOf } from './manifest-tags.js';
import { obstacleToUse } from './obstacle.js';
import { osTypeOf } from './os-types.js';
import { statusOf } from './present-image.js';
import { accessLevels, type ManagedImage } from './registration.js';

/** What lists of management are narrowed to, searched in and sorted by. Slim, as it is kept of all images. */
export type SoughtImage = ReturnType<typeof soughtIn>;

export function soughtIn(image: ManagedImage) {
  const { uuid, name: alias, version, owner, os, state, description = '', image_size: size = 0, registration } = image;
  const { name, label, golden = false, deprecated, access, created, changed } = registration;
  return {
    uuid,
    name,
    alias,
    version,
    owner,
    os,
    ostype: osTypeOf(image),
    state,
    status: statusOf(image),
    desc: description,
    size,
    access: accessLevels[access],
    label,
    golden,
    deprecated: deprecated !== undefined,
    tags: tagsOf(image).tags,
    created,
    changed,
    ready: obstacleToUse(image, { recordsOnly: false }) === undefined,
    readyWithoutFiles: obstacleToUse(image, { recordsOnly: true }) === undefined,
  };
}

import type { ImgapiClient } from '../../imgapi/client.js';
import { ImgapiError, invalidInput } from '../../imgapi/errors.js';
import type { Deps } from '../deps.js';
import type { Caller } from '../model/caller.js';
import type { ManagedImage, RegisteredImage } from '../model/registration.js';
import type { Started } from '../model/task.js';
import { checkSettled } from './check-settled.js';
import { absentOr, type CopyPlan } from './copy-image.js';
import { findManagedImage, type Named } from './find-managed-image.js';
import { originsOf } from './origins.js';
import { clientOf } from './repositories.js';
import { startTask } from './start-task.js';

export interface CopyWish extends Named {
  /** The name of a repository: another image server. */
  to: string;
  /** How it is called there. */
  name?: string | undefined;
  /** In which of its data centers, where it has some. */
  datacenter?: string | undefined;
}

/** What can be refused at once is refused at once, and what can be said only by the other side is asked. */
export async function startCopy(deps: Deps, caller: Caller, wish: CopyWish): Promise<Started> {
  const { catalog, directory } = deps;
  const image = await findManagedImage(catalog, directory, caller, 'copy', wish);
  checkSettled(image);
  if (!image.activated || image.files.length === 0) {
    throw invalidInput([
      { field: 'image', code: 'Invalid', message: `image ${wish.image} has no file, or is not active` },
    ]);
  }
  const chain = [image, ...(await originsBehind(deps, image))].reverse();
  await checkWanted(targetOf(deps, wish.to), image, wish);
  const plan: CopyPlan = {
    to: wish.to,
    images: chain.map(({ uuid }) => uuid),
    ...(wish.name !== undefined && { name: wish.name }),
    ...(wish.datacenter !== undefined && { datacenter: wish.datacenter }),
  };
  const objects = [{ kind: 'images', id: image.uuid, name: image.registration.name }];
  return startTask(deps, caller, { what: 'copy image', objects, params: plan });
}

async function originsBehind({ catalog }: Deps, image: RegisteredImage): Promise<RegisteredImage[]> {
  const behind: RegisteredImage[] = [];
  for await (const { uuid, record } of originsOf(catalog, image)) {
    if (!record?.files[0]) throw new ImgapiError('OriginDoesNotExist', `origin image ${uuid} is not here to be copied`);
    behind.push(record);
  }
  return behind;
}

function targetOf(deps: Deps, to: string): ImgapiClient {
  try {
    return clientOf(deps, to);
  } catch (cause) {
    if (!(cause instanceof ImgapiError) || cause.code !== 'ResourceNotFound') throw cause;
    throw invalidInput([{ field: 'to', code: 'Invalid', message: `to: ${cause.message}` }]);
  }
}

async function checkWanted(client: ImgapiClient, image: ManagedImage, { to, name }: CopyWish): Promise<void> {
  await client.ping();
  if (await absentOr(client.getImage(image.uuid))) {
    const message = `to: ${to} has image ${image.uuid} already`;
    throw invalidInput([{ field: 'to', code: 'Invalid', message }]);
  }
  if (name === undefined) return;
  const path = `/api/image/${encodeURIComponent(name)}`;
  if (await absentOr(client.exchange.json('GET', path))) {
    throw invalidInput([{ field: 'name', code: 'Invalid', message: `name: ${to} has an image "${name}" already` }]);
  }
}

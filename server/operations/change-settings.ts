import { type FieldError, invalidInput } from '../../imgapi/errors.js';
import type { Reader } from '../../storage/catalog.js';
import type { Deps } from '../deps.js';
import type { Caller } from '../model/caller.js';
import { datacenters, MAIN } from '../model/datacenter.js';
import { type DatacenterSettings, globalSettings, imageSettings, settingsOf } from '../model/datacenter-settings.js';
import { images } from '../model/image.js';
import { osTypeOf, osTypes, SUNOS_ZONE } from '../model/os-types.js';
import type { Grant } from '../model/token.js';
import { isIn } from '../model/visibility.js';
import { type Vm, vms } from '../model/vm.js';
import { checkStands } from './check-stands.js';
import { forgetStale } from './refresh-repository.js';
import { datacenterNamed } from './save-datacenter.js';
import { dropUnnamed } from './save-repository.js';

/** What is not said stays. The global ones are set in main, for all. */
export async function changeSettings(
  deps: Deps,
  caller: Caller,
  own: Grant,
  name: string,
  wish: Partial<DatacenterSettings>,
): Promise<DatacenterSettings> {
  const settings = await deps.catalog.write(async (tx) => {
    await checkStands(tx, caller, own);
    const datacenter = await datacenterNamed(tx, name);
    const wanted = { ...wish, ...(await serverIn(tx, wish)) };
    const problems = [...misplaced(name, wanted), ...(await unknownImages(tx, name, wanted))];
    if (problems.length > 0) throw invalidInput(problems);
    const after = { ...datacenter, settings: { ...datacenter.settings, ...wanted } };
    await tx.replace(datacenters, after);
    if (wish.VMS_IMAGE_REPOSITORIES) await dropUnnamed(tx, wish.VMS_IMAGE_REPOSITORIES);
    return settingsOf(after, await tx.get(datacenters, MAIN));
  });
  if (wish.VMS_IMAGE_REPOSITORIES) await forgetStale(deps);
  return settings;
}

const misplaced = (name: string, wish: Partial<DatacenterSettings>): FieldError[] =>
  name === MAIN
    ? []
    : globalSettings
        .filter((field) => wish[field] !== undefined)
        .map((field) => told(field, `can only be set in data center "${MAIN}", for all`));

async function unknownImages(reader: Reader, datacenter: string, wish: Partial<DatacenterSettings>) {
  const problems: FieldError[] = [];
  for (const field of imageSettings) {
    const name = wish[field];
    if (name !== undefined && name !== '' && !(await isAttached(reader, name, datacenter))) {
      problems.push(told(field, `names no image of data center "${datacenter}": "${name}"`));
    }
  }
  return problems;
}

async function isAttached(reader: Reader, name: string, datacenter: string): Promise<boolean> {
  const here = new Set([datacenter]);
  for await (const { record } of reader.range(images, 'name', { prefix: `${name}/` })) {
    if (record.registration && isIn(record.registration, here)) return true;
  }
  return false;
}

/** The image server by its uuid, however it was named. */
async function serverIn(reader: Reader, { VMS_IMAGE_VM: named }: Partial<DatacenterSettings>) {
  if (!named) return {};
  for await (const vm of reader.list(vms)) {
    if (vm.uuid !== named && vm.hostname !== named) continue;
    const obstacle = await obstacleToServe(reader, vm);
    if (obstacle === undefined) return { VMS_IMAGE_VM: vm.uuid };
    throw invalidInput([
      told('VMS_IMAGE_VM', `names a machine that can not serve images, as it is ${obstacle}: "${named}"`),
    ]);
  }
  throw invalidInput([told('VMS_IMAGE_VM', `names no machine that is registered: "${named}"`)]);
}

/** It is there, running or not, and it is a zone, as far as its images tell. */
async function obstacleToServe(reader: Reader, { state, images: disks, found }: Vm): Promise<string | undefined> {
  const [disk = found?.images[0]] = disks;
  if (state !== 'active' && state !== 'paused') return `only a ${state} one`;
  const image = disk && (await reader.get(images, disk.image));
  return image && osTypeOf(image) !== SUNOS_ZONE ? `no ${osTypes[SUNOS_ZONE].means}` : undefined;
}

const told = (field: string, what: string): FieldError => ({ field, code: 'Invalid', message: `${field} ${what}` });

import type { Deps } from '../deps.js';
import type { Caller } from '../model/caller.js';
import { images } from '../model/image.js';
import { type DescribedStep, type SourceAccess, wantedAt } from '../model/import.js';
import { answer } from '../model/permissions.js';
import { slugOf } from '../model/registration.js';
import { type ListedRemote, listedRemote } from '../model/repository-image.js';
import { checkFileSizes } from './check-file-sizes.js';
import { alreadyExists } from './import-image.js';
import { accessOf, orderOf, told } from './import-managed.js';
import { planImport } from './plan-import.js';

/** What an import of a manifest would bring. */
export interface ReadManifest extends Omit<ListedRemote, 'repository' | 'digest' | 'at' | 'channels'> {
  /** Under which it is found here where nobody says another one. */
  key: string;
  public: boolean;
  compression: string;
  sha1: string | null;
  sha256: string | null;
  builds_on: { uuid: string; name: string; version: string; download_size: number }[];
  registered: boolean;
  /** Why it is not imported. */
  taken: string | null;
}

interface Meant {
  manifest_url: string;
  secret?: string | undefined;
  dc?: string | undefined;
}

/** Asks for a manifest as an import of it would, and is refused as that would be. Nothing is written. */
export async function readManifest(
  deps: Deps,
  caller: Caller,
  { dc, ...addresses }: Meant,
  wanted: AbortSignal,
): Promise<ReadManifest> {
  const { catalog, policy, directory } = deps;
  const access = await checkReading(deps, caller, { dc, ...addresses });
  const viewer = { caller, mode: policy.mode, open: directory.openDatacenters };
  const steps = await told({ manifest: 'manifest_url', file: 'manifest_url' }, async () => {
    const planned = await planImport(deps, viewer, wantedAt(addresses.manifest_url, undefined, access), wanted);
    checkFileSizes(policy, planned);
    return planned;
  });
  const below = steps.slice(0, -1);
  const step = steps.at(-1);
  if (!step) throw new Error('a plan without steps');
  const { repository: _, digest: __, at: ___, channels: ____, ...image } = listed(step);
  const existing = await catalog.get(images, step.uuid);
  const { compression, sha1 = null, sha256 = null } = step.file;
  return {
    ...image,
    key: slugOf(image.name),
    public: step.draft.public === true,
    compression,
    sha1,
    sha256,
    builds_on: below.map(listed).map(({ uuid, name, version, download_size }) => ({
      uuid,
      name,
      version,
      download_size,
    })),
    registered: existing !== undefined && answer(caller, 'show in a data center', { image: existing }) === 'yes',
    taken: existing ? alreadyExists(viewer, existing).message : null,
  };
}

/** What refuses that before any other machine is asked. */
export async function checkReading(deps: Deps, caller: Caller, { dc, ...addresses }: Meant): Promise<SourceAccess> {
  const wish = { dc, dc_bound: true };
  // Without one it may be that nobody has chosen yet.
  if (dc !== undefined) await orderOf(deps, caller, wish);
  return accessOf(deps, caller, wish, addresses);
}

/** In the words of the lists of repositories. */
const listed = ({ uuid, draft, file }: DescribedStep): ListedRemote =>
  listedRemote({ repository: '', uuid, digest: '', manifest: { ...draft, files: [file] } });

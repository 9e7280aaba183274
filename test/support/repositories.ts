import { datacenters, MAIN } from '../../server/model/datacenter.js';
import { settingsOf } from '../../server/model/datacenter-settings.js';
import { type RepositoryRecord, repositories } from '../../server/model/repository.js';
import { repositoryImages } from '../../server/model/repository-image.js';
import type { TestServer } from './server.js';

/** A repository as it is after a refresh that found these, without anybody having been asked. */
export async function rememberRepository(
  { deps }: TestServer,
  { url, ...record }: Partial<RepositoryRecord> & { name: string; url: string },
  manifests: readonly ({ uuid: string } & Record<string, unknown>)[],
): Promise<void> {
  const at = deps.now().toISOString();
  await deps.catalog.write(async (tx) => {
    const main = await tx.get(datacenters, MAIN);
    if (!main) throw new Error('there is no main');
    const urls = { ...settingsOf(main).VMS_IMAGE_REPOSITORIES, [record.name]: url };
    await tx.replace(datacenters, { ...main, settings: { ...main.settings, VMS_IMAGE_REPOSITORIES: urls } });
    const state = { url, lastUpdate: at, tried: at, count: manifests.length };
    await tx.insert(repositories, { every: 0, state, ...record });
    for (const manifest of manifests) {
      const { uuid } = manifest;
      await tx.insert(repositoryImages, { repository: record.name, uuid, digest: 'of the test', manifest });
    }
  });
}

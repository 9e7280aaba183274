import { realpath } from 'node:fs/promises';
import { Level } from 'level';
import { MemoryLevel } from 'memory-level';
import type { Catalog } from '../catalog.js';
import { makeDirectory } from '../durable.js';
import { InUse, StorageDown } from '../errors.js';
import type { Engine } from './database.js';
import { LevelCatalog } from './level-catalog.js';
import { isLocked, roomToReopen } from './reopening.js';

// LevelDB's own lock is lost when a process tries to open its directory a second time, so it must never get to that
const open = new Set<string>();

export async function openLevelCatalog(directory: string): Promise<Catalog> {
  const path = await makeDirectory(directory).then(() => realpath(directory), down(directory));
  if (open.has(path)) throw new InUse(`the catalog ${path} is open in this process already`);
  open.add(path);
  try {
    const engine: Engine = new Level<string, string>(path);
    await engine.open();
    return new DirectoryCatalog(engine, path);
  } catch (error) {
    open.delete(path);
    if (isLocked(error)) throw new InUse(`the catalog ${path} is in use by another process`, { cause: error });
    return down(path)(error);
  }
}

export async function openMemoryCatalog(): Promise<Catalog> {
  const engine: Engine = new MemoryLevel<string, string>();
  await engine.open();
  return new LevelCatalog(engine);
}

class DirectoryCatalog extends LevelCatalog {
  constructor(
    engine: Engine,
    private readonly path: string,
  ) {
    super(engine, () => roomToReopen(path));
  }

  override async close(): Promise<void> {
    await super.close();
    open.delete(this.path);
  }
}

function down(path: string): (error: unknown) => never {
  return (error) => {
    throw new StorageDown(`opening the catalog ${path}`, error);
  };
}

import { Database, type Engine } from './database.js';
import { GroupCatalog } from './group-catalog.js';
import { OwnGround } from './own-ground.js';

/** The catalog over any open abstract-level database. `ready` is asked before one that has failed is opened again. */
export class LevelCatalog extends GroupCatalog {
  constructor(engine: Engine, ready?: () => Promise<void>) {
    const database = new Database(engine, ready);
    super(database, (standing) => new OwnGround(database, standing));
  }
}

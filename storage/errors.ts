/** The facts that a store reports. What they mean to a client is decided where the meaning is known. */

/** The id or unique key belongs to another record. */
export class Taken extends Error {
  override name = 'Taken';
  constructor(readonly key: string) {
    super(`${key} is taken`);
  }
}

/** There is no such record to replace or delete. */
export class Missing extends Error {
  override name = 'Missing';
  constructor(readonly key: string) {
    super(`${key} is missing`);
  }
}

/** The disk, database or object store failed; the cause says how. After it on a write, the fate of that write is unknown. */
export class StorageDown extends Error {
  override name = 'StorageDown';
  constructor(what: string, cause: unknown) {
    super(`${what}: ${reason(cause)}`, { cause });
  }
}

/** What was read has been changed by somebody meanwhile. */
export class Changed extends Error {
  override name = 'Changed';
}

/** Another daemon holds the store. */
export class InUse extends Error {
  override name = 'InUse';
}

/** What is there is not for this daemon, however long it waits: it says what is wrong, for whoever starts the daemon. */
export class Unusable extends Error {
  override name = 'Unusable';
}

/** Down to the bottom: LevelDB's "Database failed to open" says nothing without what is behind it. */
function reason(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.cause === undefined ? cause.message : `${cause.message}: ${reason(cause.cause)}`;
}

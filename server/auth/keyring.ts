import { mkdir } from 'node:fs/promises';
import type { Logger } from 'pino';
import { remembering } from '../../imgapi/remembering.js';
import { MOST_KEYS, type UserKey } from '../model/user.js';
import { isUserName } from '../model/user-name.js';
import { listKeyFiles, readKeyFile, userOf } from './key-files.js';
import { readAuthorizedKeys, type SshKey } from './ssh-keys.js';

/** Of the lines of keys that are remembered, in characters. */
const REMEMBERED = 1 << 20;

/** A file that is something else is wrong in all of its lines. */
const MOST_WARNINGS = 10;

export interface Enrolment {
  created: string[];
  /** Who can not sign in spite of his keys. */
  refused: { name: string; reason: string }[];
}

export interface KeyringOptions {
  authKeys: Readonly<Record<string, readonly string[]>>;
  /** Where key files lie; made when it is missing. Without it there are only the keys of the configuration. */
  directory?: string;
  /** Makes sure that these names have user records. */
  enrol(names: readonly string[]): Promise<Enrolment>;
  /** Calls back when something in these directories changes; returns the way to stop. */
  watch(paths: readonly string[], changed: () => void): () => void;
  log: Logger;
}

/** Some keys of one user, and where they were found. */
interface Source {
  user: string;
  where: string;
  text: string;
}

export async function openKeyring(options: KeyringOptions): Promise<Keyring> {
  if (options.directory !== undefined) await mkdir(options.directory, { recursive: true, mode: 0o700 });
  const keyring = new Keyring(options);
  try {
    await keyring.reload();
  } catch (error) {
    await keyring.close();
    throw error;
  }
  return keyring;
}

/** The public keys of every user, from the configuration and from files, and as fresh as those are. */
export class Keyring {
  readonly #options: KeyringOptions;
  readonly #stopWatching: () => void;
  readonly #parsed = remembering(
    (line: string) => readAuthorizedKeys(line).keys,
    REMEMBERED,
    ({ length }) => length,
  );
  #keys = new Map<string, SshKey[]>();
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(options: KeyringOptions) {
    this.#options = options;
    const { directory, watch } = options;
    this.#stopWatching = directory === undefined ? () => {} : watch([directory], () => void this.refresh());
  }

  keysOf(user: string): readonly SshKey[] {
    return this.#keys.get(user) ?? [];
  }

  /** Those that were given to the catalog; read once, and not for every signature. */
  keysIn(lines: readonly Pick<UserKey, 'key'>[]): readonly SshKey[] {
    return lines.flatMap(({ key }) => this.#parsed(key));
  }

  /** What a line says that is to become a key: its fingerprint, or what is wrong with it. */
  look(line: string): { fingerprint?: string; problem?: string } {
    const { keys, problems } = readAuthorizedKeys(line);
    const [key] = keys;
    if (problems[0]) return { problem: problems[0].reason };
    if (!key || keys.length > 1) return { problem: `${keys.length} keys are given, where one is expected` };
    return { fingerprint: key.fingerprints.at(-1) ?? '' };
  }

  /** Resolves when all that was there at the time of the call is in force. When it fails, nothing has changed. */
  reload(): Promise<void> {
    // A reload that is running may have read already what has changed since.
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      const loading = this.#load();
      this.#running = loading.catch(() => {});
      return loading;
    });
    return this.#next;
  }

  /** Like reload, for who can not be told how it went. */
  async refresh(): Promise<void> {
    try {
      await this.reload();
    } catch (err) {
      this.#options.log.error({ err }, 'the keys could not be read again; those from before stay');
    }
  }

  async close(): Promise<void> {
    this.#stopWatching();
    await Promise.allSettled([this.#next, this.#running]);
  }

  async #load(): Promise<void> {
    const { enrol, log } = this.#options;
    const keys = this.#collect([...this.#configured(), ...(await this.#filed())]);
    const { created, refused } = await enrol([...keys.keys()]);
    this.#keys = keys;
    for (const { name, reason } of refused) log.warn({ user: name, reason }, 'user can not sign in spite of his keys');
    if (created.length > 0) log.info({ users: created }, 'new operators, by their keys');
    log.info({ users: keys.size, keys: [...keys.values()].flat().length }, 'keys loaded');
  }

  #configured(): Source[] {
    return Object.entries(this.#options.authKeys).map(([user, keys]) => ({
      user,
      where: `authKeys.${user} in the configuration`,
      text: keys.join('\n'),
    }));
  }

  async #filed(): Promise<Source[]> {
    const { directory, log } = this.#options;
    if (directory === undefined) return [];
    const sources: Source[] = [];
    for (const path of await listKeyFiles(directory)) {
      try {
        sources.push({ user: userOf(path), where: path, text: await readKeyFile(path) });
      } catch (err) {
        log.warn({ file: path, err }, 'key file can not be read; its keys are not in force');
      }
    }
    return sources;
  }

  #collect(sources: readonly Source[]): Map<string, SshKey[]> {
    const all = new Map<string, SshKey[]>();
    for (const source of sources) {
      const found = this.#read(source);
      if (found.length > 0) all.set(source.user, distinct([...(all.get(source.user) ?? []), ...found]));
    }
    for (const [user, keys] of all) {
      const ignored = keys.splice(MOST_KEYS).length;
      if (ignored > 0)
        this.#options.log.warn({ user, ignored }, `only the first ${MOST_KEYS} keys of a user are tried`);
    }
    return all;
  }

  #read({ user, where, text }: Source): SshKey[] {
    const { log } = this.#options;
    if (!isUserName(user)) {
      log.warn({ file: where }, 'keys ignored: a user name has letters, digits and _ . @ - only, and 64 at most');
      return [];
    }
    const { keys, problems } = readAuthorizedKeys(text);
    for (const { line, reason } of problems.slice(0, MOST_WARNINGS)) {
      log.warn({ file: where, line, reason }, 'key ignored');
    }
    const more = problems.length - MOST_WARNINGS;
    if (more > 0) log.warn({ file: where, more }, 'more lines of this file hold no key');
    return keys;
  }
}

function distinct(keys: readonly SshKey[]): SshKey[] {
  return [...new Map(keys.map((key) => [key.fingerprints.at(-1), key])).values()];
}

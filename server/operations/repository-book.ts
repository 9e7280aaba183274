import type { ListCaps, RemoteManifest } from '../../imgapi/client.js';
import { ImgapiError } from '../../imgapi/errors.js';
import type { Catalog, Change } from '../../storage/catalog.js';
import type { Members } from '../../storage/members.js';
import { ReadModel } from '../../storage/read-model.js';
import type { Source } from '../../storage/sources.js';
import { type RepositoryRecord, repositories } from '../model/repository.js';
import { compareRemote, type ListedRemote, listedRemote, repositoryImages } from '../model/repository-image.js';

/** Where images can be had from: a name, and a thing that lists. */
export interface Repository {
  readonly name: string;
  readonly url: string;
  /** It lies on this server: operators only know of it. */
  readonly isLocal: boolean;
  /** Its uuids mean its images. */
  readonly authoritative: boolean;
  /** Every manifest that there is, as the repository has it; no more than the caps allow. */
  list(signal: AbortSignal, caps: ListCaps): AsyncIterable<RemoteManifest>;
  source(): Promise<Source>;
  /** Where an image of it lies, for people. */
  manifestUrl(uuid: string): string;
}

export interface RefreshLimits extends ListCaps {
  /** In milliseconds, for a whole list. */
  time: number;
}

const REFRESH_LIMITS: RefreshLimits = { time: 20_000, bytes: 64 << 20, count: 100_000, each: 1 << 20 };

/** What one daemon tells the others of a repository. */
interface Refreshing {
  name: string;
  isOver?: true;
}

const REFRESHING = 'repository';

interface Options {
  limits?: Partial<RefreshLimits>;
  /** That of images which were put on this server by hand. */
  local?: Repository;
}

/** What is known of repositories, in memory, so that no list reads all records. It follows every write. */
export class RepositoryBook {
  readonly records = new Map<string, RepositoryRecord>();
  readonly limits: RefreshLimits;
  readonly local: Repository | undefined;
  readonly #members: Members;
  readonly #busy = new Set<string>();
  /** Where others are at it, as they tell: the repository by the member. */
  readonly #busyElsewhere = new Map<string, string>();
  readonly #stopping = new AbortController();
  readonly #unfollow: (() => void)[];

  static async open(catalog: Catalog, options: Options = {}): Promise<RepositoryBook> {
    const images = await ReadModel.open(catalog, repositoryImages, {
      project: listedRemote,
      compare: compareRemote,
      rank: ({ at }) => -at,
      groups: ({ repository }) => [repository],
    });
    const book = new RepositoryBook(catalog, images, options);
    for await (const record of catalog.list(repositories)) book.#keep({ id: record.name, record });
    return book;
  }

  private constructor(
    catalog: Catalog,
    readonly images: ReadModel<ListedRemote>,
    { limits, local }: Options,
  ) {
    this.limits = { ...REFRESH_LIMITS, ...limits };
    this.local = local;
    this.#members = catalog.members;
    this.#unfollow = [
      catalog.follow(repositories, (changes) => {
        for (const change of changes) this.#keep(change);
      }),
      catalog.members.hear(REFRESHING, (message, from) => {
        const { name, isOver } = message as Refreshing;
        if (isOver) this.#busyElsewhere.delete(name);
        else this.#busyElsewhere.set(name, from);
      }),
    ];
  }

  /** The newest first; as it is now. */
  imagesOf(name: string): readonly ListedRemote[] {
    return this.images.within([name]);
  }

  isRefreshing(name: string): boolean {
    return this.#busy.has(name) || this.#members.isIn(this.#busyElsewhere.get(name) ?? '');
  }

  /** Nothing else works on a repository meanwhile, on no daemon; undefined where something does. */
  alone<T>(name: string, work: () => Promise<T>): Promise<T | undefined> {
    return this.#members.ifAlone(`repository ${name}`, async () => {
      this.#busy.add(name);
      this.#members.tell(REFRESHING, { name } satisfies Refreshing);
      try {
        return await work();
      } finally {
        this.#busy.delete(name);
        this.#members.tell(REFRESHING, { name, isOver: true } satisfies Refreshing);
      }
    });
  }

  /** Aborted when nobody is to be asked any more. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  stop(): void {
    this.#stopping.abort(new ImgapiError('ServiceUnavailableError', 'the server stops'));
  }

  close(): void {
    this.stop();
    for (const unfollow of this.#unfollow) unfollow();
    this.images.close();
  }

  #keep({ id, record }: Change<RepositoryRecord>): void {
    if (record) this.records.set(id, record);
    else this.records.delete(id);
  }
}

import type { Bandwidth } from '../../storage/bandwidth.js';
import type { Catalog } from '../../storage/catalog.js';
import type { ReceiveOptions } from '../../storage/receive.js';
import { images, isPlaceholder } from '../model/image.js';

interface Options {
  catalog: Catalog;
  bandwidth: Bandwidth;
  /** How patient it is with sources; as `receive` is where nothing is said. */
  patience?: Pick<ReceiveOptions, 'pauses' | 'crawl'>;
}

/** What imports still need of the disk, and how they fetch. Only in memory: what is left is told again after a start. */
export class ImportsUnderWay {
  readonly bandwidth: Bandwidth;
  readonly patience: Pick<ReceiveOptions, 'pauses' | 'crawl'>;
  /** Bytes that have not come yet, by the image's uuid. */
  readonly #awaited = new Map<string, number>();

  constructor({ catalog, bandwidth, patience = {} }: Options) {
    this.bandwidth = bandwidth;
    this.patience = patience;
    if (catalog.members.only) return;
    // What is planned here may be performed, or cancelled, by another daemon.
    catalog.follow(images, (changes) => {
      for (const { id, record } of changes) if (!record || !isPlaceholder(record)) this.forget(id);
    });
  }

  expect(uuid: string, bytes: number): void {
    this.#awaited.set(uuid, bytes);
  }

  forget(uuid: string): void {
    this.#awaited.delete(uuid);
  }

  /** Over all. */
  awaited(): number {
    let bytes = 0;
    for (const left of this.#awaited.values()) bytes += left;
    return bytes;
  }
}

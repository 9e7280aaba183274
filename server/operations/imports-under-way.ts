import type { Bandwidth } from '../../storage/bandwidth.js';
import type { ReceiveOptions } from '../../storage/receive.js';

interface Options {
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

  constructor({ bandwidth, patience = {} }: Options) {
    this.bandwidth = bandwidth;
    this.patience = patience;
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

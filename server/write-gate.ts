import { ImgapiError } from '../imgapi/errors.js';
import type { Catalog } from '../storage/catalog.js';
import { wrappedCatalog } from '../storage/wrapped-catalog.js';

const SOON = '10';

/** Stands before a catalog, open until somebody closes it: reads go through, writes are told to come back. */
export class WriteGate {
  #closedBecause: string | undefined;
  #isOver = false;

  guard(catalog: Catalog): Catalog {
    return wrappedCatalog(catalog, {
      current: () => !this.#isOver && catalog.current(),
      write: (change) => {
        if (this.#closedBecause === undefined) return catalog.write(change);
        const headers = { 'Retry-After': SOON };
        return Promise.reject(new ImgapiError('ServiceUnavailableError', this.#closedBecause, { headers }));
      },
    });
  }

  close(because: string): void {
    this.#closedBecause = because;
  }

  /** For good, and what is read there may be old by now. */
  end(because: string): void {
    this.#isOver = true;
    this.close(because);
  }

  open(): void {
    this.#closedBecause = undefined;
  }
}

import { useRef, useState } from 'preact/hooks';
import { ask, Refusal } from '../api/ask.js';
import type { Results } from '../api/types.js';

export type ReadManifest = Results['ReadManifest'];

interface Meant {
  manifest_url: string;
  secret: string;
  dc: string;
}

const keyOf = ({ manifest_url, secret, dc }: Meant) => JSON.stringify([manifest_url, secret, dc]);

/** What the server reads at an address, once for each that is asked for. */
export function useManifest() {
  const [known, setKnown] = useState<{ key: string; manifest: ReadManifest }>();
  const asked = useRef<{ key: string; answer: Promise<ReadManifest> } | undefined>(undefined);

  /** Fails as the import would. */
  const read = (meant: Meant): Promise<ReadManifest> => {
    const key = keyOf(meant);
    if (asked.current?.key === key) return asked.current.answer;
    const isStill = () => asked.current?.key === key;
    const { manifest_url, secret, dc } = meant;
    const body = { manifest_url, ...(secret && { secret }), ...(dc && { dc }) };
    const answer = ask<ReadManifest>('/manifest', { method: 'POST', body }).then(
      ({ result }) => {
        if (isStill()) setKnown({ key, manifest: result });
        return result;
      },
      (error: unknown) => {
        // What is away now may be back when it is asked for again.
        if (isStill()) asked.current = undefined;
        throw error;
      },
    );
    asked.current = { key, answer };
    return answer;
  };
  return {
    read,
    /** The last one that was read: its values stay while another address is being typed. */
    last: known?.manifest,
    of: (meant: Meant) => (known?.key === keyOf(meant) ? known.manifest : undefined),
  };
}

/** Does all of it, and refuses with all that is wrong. */
export async function together(...checks: readonly Promise<unknown>[]): Promise<void> {
  const failures = (await Promise.allSettled(checks)).flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
  const [first] = failures;
  if (first === undefined) return;
  const refusals = failures.filter((failure) => failure instanceof Refusal);
  const own = refusals.find(({ code }) => code === 'ObjectAlreadyExists') ?? refusals[0];
  if (!own) throw first;
  const fields = Object.assign({}, ...refusals.map((refusal) => refusal.fields));
  throw new Refusal(own.status, own.code, own.message, fields, own.tag);
}

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { makeCertificate, type Pem } from '../../server/tls/make-certificate.js';
import { scratch } from './scratch.js';

const DAY = 24 * 60 * 60 * 1000;

export interface Validity {
  /** In days from now. */
  from?: number;
  until?: number;
  names?: string[];
}

export const newCertificate = ({ from = -1, until = 100, names = ['localhost', '127.0.0.1'] }: Validity = {}) =>
  makeCertificate({ names, from: new Date(Date.now() + from * DAY), until: new Date(Date.now() + until * DAY) });

export interface PemFiles {
  certificate: string;
  key: string;
  /** Replaces both, or one of them. */
  write(pem: Partial<Pem>): Promise<void>;
}

/** Two files that hold this pair; gone when the test ends. */
export async function pemFiles(t: Pick<ExecutionContext, 'teardown'>, pem: Partial<Pem>): Promise<PemFiles> {
  const directory = await scratch(t);
  const paths = { certificate: join(directory, 'chain.pem'), key: join(directory, 'key.pem') };
  const write = async (other: Partial<Pem>) => {
    if (other.key !== undefined) await writeFile(paths.key, other.key);
    if (other.certificate !== undefined) await writeFile(paths.certificate, other.certificate);
  };
  await write(pem);
  return { ...paths, write };
}

import { contents } from '../../storage/holdings.js';
import type { Answer, TestServer } from './server.js';

/** An answer as tables spell it: `200`, or `422 ValidationFailed name:Invalid os:MissingParameter`. */
export function told({ status, json }: Answer): string {
  const fields = json.errors?.map(({ field, code }) => `${field}:${code}`) ?? [];
  return [status, ...(status >= 400 ? [json.code, ...fields] : [])].join(' ');
}

/** JSON in a cell of a table; `a*1024` stands for so many letters. */
export const cell = (text: string) => JSON.parse(text.replace(/a\*(\d+)/g, (_, count) => 'a'.repeat(Number(count))));

/** What a server keeps: its images, and how many blobs, whole and on their way in. */
export async function kept({ deps }: TestServer) {
  const blobs = { whole: 0, staged: 0 };
  for await (const { staged } of deps.blobs.list()) blobs[staged ? 'staged' : 'whole'] += 1;
  return { images: deps.listing.sorted.map(({ uuid }) => uuid).sort(), ...blobs };
}

/** Who holds which bytes: by sha256, the names of the holders without the uuids of their images. */
export async function holders({ deps }: TestServer): Promise<string[][]> {
  const all: string[][] = [];
  for await (const { holders } of deps.catalog.list(contents))
    all.push(holders.map((name) => name.replace('images/', '')));
  return all;
}

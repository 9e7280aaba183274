import { csvRow } from './csv.js';

/** An entry as it is exported. */
interface Exported {
  seal?: object;
  time?: string;
  who?: { name: string; kind: string; token?: string };
  from?: string;
  what?: string;
  objects?: { kind: string; name: string; action?: string; fields?: string[] }[];
  datacenters?: string[];
  result?: string;
  count?: number;
  bytes?: number;
  request?: string;
  id?: string;
}

const columns: readonly (readonly [title: string, cell: (entry: Exported) => unknown])[] = [
  ['time', ({ time }) => time],
  ['who', ({ who }) => who?.name],
  ['kind', ({ who }) => who?.kind],
  ['token', ({ who }) => who?.token],
  ['from', ({ from }) => from],
  ['what', ({ what }) => what],
  ['objects', ({ objects = [] }) => objects.map(({ kind, name }) => `${kind} ${name}`).join('; ')],
  ['fields', ({ objects = [] }) => objects.flatMap(({ fields = [] }) => fields).join('; ')],
  ['datacenters', ({ datacenters = [] }) => datacenters.join('; ')],
  ['result', ({ result }) => result],
  ['count', ({ count }) => count],
  ['bytes', ({ bytes }) => bytes],
  ['request', ({ request }) => request],
  ['id', ({ id }) => id],
];

export const header = csvRow(columns.map(([title]) => title));

/** A line of JSON as a row; nothing of what is no entry. */
export function rowOf(line: string): string {
  const entry = JSON.parse(line) as Exported;
  return entry.seal ? '' : csvRow(columns.map(([, cell]) => cell(entry)));
}

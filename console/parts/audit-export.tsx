import { useState } from 'preact/hooks';
import { addressOf, askLong, type Wish } from '../api/ask.js';
import { header, rowOf } from './audit-csv.js';
import { toast } from './toasts.js';

type Query = NonNullable<Wish['query']>;

const PATH = '/audit/export';

/** The same entries as are shown, all of them, as files. */
export function AuditExport({ query }: { query: Query }) {
  const [rows, setRows] = useState<number>();
  const save = async () => {
    if (rows !== undefined) return;
    setRows(0);
    try {
      const blob = await csvOf(query, setRows);
      download(blob, 'audit.csv');
    } catch (error) {
      toast(`the export has failed: ${(error as Error).message}`, { isBad: true });
    } finally {
      setRows(undefined);
    }
  };
  return (
    <>
      <a class="button" href={addressOf(PATH, query)} download="audit.jsonl">
        Export as JSON lines
      </a>
      <button type="button" aria-disabled={rows !== undefined} onClick={save}>
        {rows === undefined ? 'Export as CSV' : `${rows} entries …`}
      </button>
    </>
  );
}

/** Each piece is packed away as it comes: an audit may be longer than the memory of a page. */
async function csvOf(query: Query, report: (rows: number) => void): Promise<Blob> {
  const { body } = await askLong(PATH, { query });
  if (!body) throw new Error('the server answered nothing');
  let csv = new Blob([header], { type: 'text/csv' });
  let rest = '';
  let rows = 0;
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value = '' } = await reader.read();
    const lines = (rest + value).split('\n');
    rest = done ? '' : (lines.pop() ?? '');
    const full = lines.filter((line) => line !== '');
    rows += full.length;
    csv = new Blob([csv, ...full.map(rowOf)], { type: 'text/csv' });
    report(rows);
    if (done) return csv;
  }
}

function download(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

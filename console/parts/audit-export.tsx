import { useState } from 'preact/hooks';
import { askLong, type Wish } from '../api/ask.js';
import { header, rowOf } from './audit-csv.js';
import { saveAs } from './download.js';
import { toast } from './toasts.js';

type Query = NonNullable<Wish['query']>;

interface Format {
  words: string;
  file: string;
  type: string;
  header: string;
  /** A line as the server tells it. */
  row: (line: string) => string;
}

const formats: readonly Format[] = [
  { words: 'JSON lines', file: 'audit.jsonl', type: 'application/jsonl', header: '', row: (line) => `${line}\n` },
  { words: 'CSV', file: 'audit.csv', type: 'text/csv', header, row: rowOf },
];

/** The same entries as are shown, all of them, as files. */
export const AuditExport = ({ query }: { query: Query }) => (
  <>
    {formats.map((format) => (
      <Export key={format.file} format={format} query={query} />
    ))}
  </>
);

/** No link: whoever is not signed in any more would come to a page that says no more than that. */
function Export({ format, query }: { format: Format; query: Query }) {
  const [rows, setRows] = useState<number>();
  const act = async () => {
    if (rows !== undefined) return;
    setRows(0);
    try {
      save(await fileOf(format, query, setRows), format.file);
    } catch (error) {
      toast(`the export has failed: ${(error as Error).message}`, { isBad: true });
    } finally {
      setRows(undefined);
    }
  };
  return (
    <button type="button" aria-disabled={rows !== undefined} onClick={act}>
      {rows === undefined ? `Export as ${format.words}` : `${rows} entries …`}
    </button>
  );
}

/** Each piece is packed away as it comes: an audit may be longer than the memory of a page. */
async function fileOf({ type, header, row }: Format, query: Query, report: (rows: number) => void): Promise<Blob> {
  const { body } = await askLong('/audit/export', { query });
  if (!body) throw new Error('the server answered nothing');
  let file = new Blob([header], { type });
  let rest = '';
  let rows = 0;
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value = '' } = await reader.read();
    const lines = (rest + value).split('\n');
    rest = done ? '' : (lines.pop() ?? '');
    const full = lines.filter((line) => line !== '');
    rows += full.length;
    file = new Blob([file, ...full.map(row)], { type });
    report(rows);
    if (done) return file;
  }
}

function save(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  saveAs(url, name);
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

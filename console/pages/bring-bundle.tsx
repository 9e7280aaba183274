import { useRef, useState } from 'preact/hooks';
import { part, Refusal, Unreachable } from '../api/ask.js';
import { sendBlob } from '../api/send-blob.js';
import { unsaid } from '../parts/bring-fields.js';
import { BringFrame } from '../parts/bring-frame.js';
import { useImageFields } from '../parts/bring-places.js';
import { Drop } from '../parts/drop.js';
import { type Field, Form } from '../parts/form.js';
import { leftOf, measured, type Pace, unmeasured } from '../parts/meter.js';
import { ProgressBar } from '../parts/progress.js';
import { bytes } from '../parts/words.js';
import { Link, useGuard } from '../router.js';

interface Row {
  image: string | null;
  name: string | null;
  status: 'imported' | 'present' | 'refused';
  code: string | null;
  detail: string | null;
}

interface Values {
  dc: string;
  dc_bound: boolean;
  access: string;
}

interface Way {
  sent: number;
  pace: Pace;
}

const words: Record<Row['status'], string> = { imported: 'is here', present: 'was here already', refused: 'refused' };
const stay = () => confirm('The bundle is still being sent. It stops when you leave.');

/** Images that were exported, in one tar. It is sent in one go, and each image comes whole or not at all. */
export default function BringBundle() {
  const [file, setFile] = useState<File>();
  const [way, setWay] = useState<Way>();
  const [rows, setRows] = useState<readonly Row[]>();
  const abort = useRef<AbortController | undefined>(undefined);
  const { fields, initial } = useImageFields({ way: 'import', hasManifest: true });
  const shown = fields.filter(({ name }) => ['dc', 'dc_bound', 'access'].includes(name)) as unknown as Field<Values>[];
  useGuard(way !== undefined, stay);

  const submit = async ({ dc, dc_bound, access }: Values) => {
    if (!file) return;
    abort.current = new AbortController();
    setWay({ sent: 0, pace: unmeasured });
    try {
      const answer = await sendBlob({
        method: 'POST',
        path: '/bundle',
        query: { dc, access, ...(!dc_bound && { dc_bound }) },
        headers: { 'Content-Type': 'application/x-tar', Accept: 'application/json' },
        body: file,
        onProgress: (sent) =>
          setWay((now = { sent: 0, pace: unmeasured }) => ({ sent, pace: measured(now.pace, sent, Date.now()) })),
        signal: abort.current.signal,
      });
      const told = (await answer.json()) as { result: Row[] };
      setRows(told.result);
    } catch (error) {
      if (error instanceof Refusal || error instanceof Unreachable) throw error;
      throw new Unreachable('it was cancelled');
    } finally {
      setWay(undefined);
    }
  };
  return (
    <BringFrame path="/bring/bundle">
      <div class="narrow">
        {!way && (
          <Drop
            take={([first]) => {
              setFile(first);
              setRows(undefined);
            }}
          >
            Drop a bundle here.
          </Drop>
        )}
        {file && !rows && (
          <section class="box sending" aria-label={file.name}>
            <h2>
              {file.name} <span class="quiet">{bytes(file.size)}</span>
            </h2>
            {way && (
              <>
                <ProgressBar
                  what={file.name}
                  progress={{
                    done: way.sent,
                    total: file.size,
                    unit: 'bytes',
                    rate: way.pace.rate === null ? null : Math.round(way.pace.rate),
                    left: leftOf(way.pace, way.sent, file.size),
                  }}
                />
                <button type="button" onClick={() => abort.current?.abort()}>
                  Cancel
                </button>
              </>
            )}
            <Form
              name="bring-bundle"
              fields={shown}
              initial={{ dc: initial.dc, dc_bound: unsaid.dc_bound, access: '' }}
              submit={submit}
              label="Import"
            />
          </section>
        )}
        {rows && (
          <section class="box" aria-label="what has become of it">
            <h2>What has become of it</h2>
            <ul class="lines">
              {rows.map(({ image, name, status, detail, code }, at) => (
                <li key={image ?? at} class={status === 'refused' ? 'error' : ''}>
                  <span>
                    {image !== null && status !== 'refused' ? (
                      <Link to={`/image/${part(image)}`}>{name ?? image}</Link>
                    ) : (
                      (name ?? image ?? 'the rest')
                    )}
                    : {words[status]}
                    {status === 'refused' && `: ${detail ?? code}`}
                  </span>
                </li>
              ))}
            </ul>
          </section>
        )}
      </div>
    </BringFrame>
  );
}

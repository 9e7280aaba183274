import { Refusal, type Unreachable } from '../api/ask.js';

interface Props {
  of: Refusal | Unreachable;
  again?: () => void;
  /** It was to be done, and not only read: nobody does that again by itself. A form keeps what was typed. */
  wasToBe?: 'sent' | 'done';
}

/** What went wrong, in the server's words, and what can be done about it. */
export function Failure({ of, again, wasToBe }: Props) {
  const advice = of instanceof Refusal ? (byCode[of.code] ?? byStatus[of.status] ?? '') : away[wasToBe ?? 'read'];
  const canTry = again && !(of instanceof Refusal && of.status < 500);
  return (
    <div class="failure" role="alert">
      <p>
        <strong>{of.message}</strong> {advice}
      </p>
      {canTry && (
        <button type="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}

/** Of a server that is out of reach. */
const away = {
  sent: 'What you typed is kept: send it again when the server is back.',
  done: 'Try it again when the server is back.',
  read: 'It is asked again as soon as it is back.',
};

/** Where the status would blame the wrong one. */
const byCode: Record<string, string> = {
  RemoteSourceError: '',
};

const byStatus: Record<number, string> = {
  403: 'Ask an administrator for the right to do so.',
  404: 'It may have been deleted, or you may not see it.',
  500: 'The log of the server tells why.',
  503: 'The server is busy or its storage is away.',
};

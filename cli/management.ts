import { isRecord } from '../imgapi/checks.js';
import { type Call, Exchange, type ExchangeOptions } from '../imgapi/exchange.js';
import { CliError, exits } from './errors.js';
import { pause } from './pause.js';

/** What a call of the management API came to. */
export interface Outcome {
  /** What goes on working on it, or has. */
  task: string | undefined;
  status: string;
  result: unknown;
}

const RUNNING = ['PENDING', 'STARTED'];

/** How a task that has failed, or was cancelled, is told of. */
const ENDED = [400, 410];

const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 2000;

/** Asks the management API of a server, whose answers all come in the same envelope. */
export class Management {
  readonly exchange: Exchange;
  readonly #signal: AbortSignal | undefined;

  constructor(options: ExchangeOptions) {
    this.exchange = new Exchange(options);
    this.#signal = options.signal;
  }

  async ask(method: string, path: string, call: Call = {}): Promise<Outcome> {
    const answer = await this.exchange.json(method, path, call);
    if (!isRecord(answer) || typeof answer.status !== 'string' || answer.result === undefined) {
      throw this.exchange.answeredBadly(200, 'has no management API');
    }
    const { task_id: task, status, result } = answer;
    return { task: typeof task === 'string' && task !== '' ? task : undefined, status, result };
  }

  /** What became of a call in the end; `waiting` is told of its task before each look at it. */
  async finished(outcome: Outcome, waiting: (task: string) => Promise<void> = async () => {}): Promise<Outcome> {
    const { task } = outcome;
    if (!isRunning(outcome)) return outcome;
    let last = outcome;
    for (let wait = FIRST_PAUSE; task !== undefined && isRunning(last); wait = Math.min(wait * 1.5, LONGEST_PAUSE)) {
      await waiting(task);
      await pause(wait, this.#signal);
      last = await this.ask('GET', `/api/task/${encodeURIComponent(task)}/status`, { answers: ENDED });
    }
    if (last.status === 'SUCCESS' || isRunning(last)) return last;
    const became = last.status === 'REVOKED' ? 'was cancelled' : 'failed';
    throw new CliError(`task ${task} ${became}${reasonOf(last)}`, {
      hint: `"slipway task show ${task}" tells all that is known of it`,
      exit: exits.refused,
    });
  }
}

export const isRunning = ({ status }: Outcome): boolean => RUNNING.includes(status);

/** By field, in a detail, or as plain text. What a task has done one by one is too long to be said here. */
function reasonOf({ result }: Outcome): string {
  if (result === null || result === '' || Array.isArray(result)) return '';
  if (!isRecord(result)) return `: ${String(result)}`;
  const { detail, message = detail } = result;
  if (typeof message === 'string') return `: ${message}`;
  return Object.values(result)
    .map((said) => `\n  ${[said].flat().join('; ')}`)
    .join('');
}

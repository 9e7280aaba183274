import type { Logger } from 'pino';
import type { Head, Signed } from '../../imgapi/audit-chain.js';
import { Exchange, type ExchangeOptions } from '../../imgapi/exchange.js';
import type { Metrics } from '../metrics/instruments.js';

/** As whoever verifies the audit takes them: with the key that signs them. */
export interface ToldHeads {
  heads: Signed<Head>[];
  key: string;
}

export interface HeadWebhookOptions {
  /** Its query is kept, and told to nobody else: it may hold a token. */
  url: string;
  agent?: ExchangeOptions['agent'];
  now: () => Date;
  log: Logger;
  metrics: Metrics;
  /** How long it may be silent, in milliseconds. */
  patience?: number;
}

/** In milliseconds. */
const EVERY = 60_000;
const PATIENCE = 10_000;

/** Tells somebody elsewhere how far the audit goes, at most once a minute: what was told there can not be cut off here. */
export class HeadWebhook {
  readonly #options: HeadWebhookOptions;
  readonly #exchange: Exchange;
  readonly #closed = new AbortController();
  #told = '';
  #tried = Number.NEGATIVE_INFINITY;
  #sending = Promise.resolve();

  constructor(options: HeadWebhookOptions) {
    const { url, agent, patience = PATIENCE } = options;
    this.#options = options;
    this.#exchange = new Exchange({ url, patience, signal: this.#closed.signal, ...(agent && { agent }) });
  }

  /** Nobody waits for it. What did not arrive is told with what comes next, a minute later at the soonest. */
  offer(state: string, told: () => ToldHeads): void {
    const now = this.#options.now().getTime();
    if (state === this.#told || now - this.#tried < EVERY) return;
    this.#tried = now;
    this.#sending = this.#sending.then(() => this.#send(state, told()));
  }

  /** Resolves when nothing is on its way. */
  settled(): Promise<void> {
    return this.#sending;
  }

  /** Ends what is on its way. */
  async close(): Promise<void> {
    this.#closed.abort(new Error('the server stops'));
    await this.#sending;
  }

  async #send(state: string, json: ToldHeads): Promise<void> {
    const { url, log, metrics } = this.#options;
    const { host, searchParams } = new URL(url);
    const query = Object.fromEntries([...searchParams.keys()].map((name) => [name, searchParams.getAll(name)]));
    try {
      const { body } = await this.#exchange.send('POST', '', { json, query });
      body.destroy();
      this.#told = state;
    } catch (err) {
      if (this.#closed.signal.aborted) return;
      metrics.instruments.audit_webhook_failures_total.inc();
      log.warn({ err, host }, 'how far the audit goes could not be told to auditWebhook; it will be tried again');
    }
  }
}

import type { Deps } from '../deps.js';
import { auditHeads, CHANGES } from '../model/audit.js';
import { type Webhook, webhookId, webhooks } from '../model/webhook.js';
import { type Told, tellWebhook } from '../operations/tell-webhook.js';

export interface WebhookLimits {
  /** In milliseconds: when it is tried again after as many failures, the last one from then on. */
  pauses: readonly number[];
  /** A webhook that has failed for so long is switched off. */
  giveUp: number;
}

const usual: WebhookLimits = {
  pauses: [1, 5, 15, 60, 300, 900].map((seconds) => seconds * 1000),
  giveUp: 24 * 3600 * 1000,
};

/** Tells webhooks of what happens: each in the order of the changes, at its own pace, from where it was. */
export class WebhookSender {
  readonly #channels = new Map<string, Channel>();
  readonly #ending = new Set<Promise<void>>();
  readonly #unfollow: (() => void)[] = [];
  #closed = false;

  private constructor(
    private readonly deps: Deps,
    private readonly limits: WebhookLimits,
  ) {}

  static async open(deps: Deps, limits: WebhookLimits = usual): Promise<WebhookSender> {
    const sender = new WebhookSender(deps, limits);
    const { catalog } = deps;
    const changed = new Set<string>();
    sender.#unfollow.push(
      catalog.follow(webhooks, (changes) => {
        for (const { id, record } of changes) {
          changed.add(id);
          sender.#take(id, record);
        }
      }),
      catalog.follow(auditHeads, (changes) => {
        if (!changes.some(({ id }) => id === CHANGES)) return;
        for (const channel of sender.#channels.values()) channel.wake();
      }),
    );
    for await (const webhook of catalog.list(webhooks)) {
      const id = webhookId(webhook);
      if (!changed.has(id)) sender.#take(id, webhook);
    }
    return sender;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const unfollow of this.#unfollow) unfollow();
    for (const id of [...this.#channels.keys()]) this.#end(id);
    await Promise.all(this.#ending);
  }

  /** Whatever has changed of a webhook, it begins anew with it, and so does a pause between attempts. */
  #take(id: string, webhook: Webhook | undefined): void {
    const before = this.#end(id);
    if (!webhook?.active || this.#closed) return;
    this.#channels.set(id, new Channel(this.deps, id, this.limits, before));
  }

  #end(id: string): Promise<void> {
    const channel = this.#channels.get(id);
    if (!channel) return Promise.resolve();
    this.#channels.delete(id);
    const ended = channel.close().finally(() => this.#ending.delete(ended));
    this.#ending.add(ended);
    return ended;
  }
}

/** What goes to one webhook. */
class Channel {
  readonly #closed = new AbortController();
  readonly #running: Promise<void>;
  #isNew = false;
  #wake = () => {};

  constructor(
    private readonly deps: Deps,
    private readonly id: string,
    private readonly limits: WebhookLimits,
    before: Promise<void>,
  ) {
    this.#running = before.then(() => this.#run());
  }

  wake(): void {
    this.#isNew = true;
    this.#wake();
  }

  close(): Promise<void> {
    this.#closed.abort(new Error('the server stops, or the webhook has changed'));
    this.#wake();
    return this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closed;
    let failures = 0;
    let from = 0;
    while (!signal.aborted) {
      this.#isNew = false;
      const { giveUp, pauses } = this.limits;
      const told = await tellWebhook(this.deps, this.id, { from, signal, giveUp }).catch((err: unknown): Told => {
        if (!signal.aborted) this.deps.log.error({ err, webhook: this.id }, 'a webhook could not be told');
        return { outcome: 'failed', seq: from };
      });
      if (signal.aborted || told.outcome === 'over') return;
      from = told.seq;
      failures = told.outcome === 'failed' ? failures + 1 : 0;
      if (told.outcome === 'failed') await this.#pause(pauses[failures - 1] ?? pauses.at(-1));
      else if (told.outcome === 'nothing') await this.#pause(undefined);
    }
  }

  /** Until the time is over, or without one until something happens. */
  async #pause(milliseconds: number | undefined): Promise<void> {
    if (this.#closed.signal.aborted || (milliseconds === undefined && this.#isNew)) return;
    await new Promise<void>((resolve) => {
      const timer = milliseconds === undefined ? undefined : setTimeout(resolve, milliseconds).unref();
      this.#wake = () => {
        if (milliseconds !== undefined && !this.#closed.signal.aborted) return;
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = () => {};
  }
}

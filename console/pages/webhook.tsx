import { useState } from 'preact/hooks';
import { ask, part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { useAsked } from '../api/use-asked.js';
import type { PageProps } from '../pages.js';
import { ChangeOf } from '../parts/change.js';
import { Confirm } from '../parts/confirm.js';
import { Failure } from '../parts/failure.js';
import { Once } from '../parts/once.js';
import { Opens } from '../parts/open.js';
import { toast } from '../parts/toasts.js';
import { WebhookDeliveries } from '../parts/webhook-deliveries.js';
import { activeField, webhookFields, webhookWish } from '../parts/webhook-form.js';
import { WebhookBadge } from '../parts/webhook-words.js';
import { Time } from '../parts/words.js';
import { go, useQuery } from '../router.js';

type Webhook = Results['GetWebhook'];

export default function WebhookPage({ params: { name = '' } }: PageProps) {
  const [user] = useQuery('user');
  const query: Record<string, string> = user === '' ? {} : { user };
  const path = `/webhook/${part(name)}`;
  const { answer, failure, refresh } = useAsked<Webhook>(path, { query, kinds: ['webhooks'] });
  const [secret, setSecret] = useState<string>();
  if (!answer) return failure ? <Failure of={failure} again={refresh} /> : <p class="loading">loading …</p>;
  const webhook = answer.result;
  const remove = async () => {
    await ask(path, { method: 'DELETE', query, ifMatch: answer.tag });
    toast(`${name} is deleted`);
    go('/webhooks');
  };
  const newKey = async () => {
    const { result } = await ask<Results['UpdateWebhook']>(path, {
      method: 'PUT',
      query,
      body: { new_secret: true },
      ifMatch: answer.tag,
    });
    setSecret(result.secret ?? '');
    refresh();
  };
  return (
    <article>
      <header class="heading">
        <h1>
          {name} <span class="quiet">{webhook.user && `of ${webhook.user}`}</span>
        </h1>
        <Opens label="Make a new key …">
          {(close) => (
            <Confirm title={`Make a new key for ${name}?`} label="Make it" act={newKey} close={close}>
              <p>The old key no longer works.</p>
            </Confirm>
          )}
        </Opens>
        <Opens label="Delete …" isGrave>
          {(close) => (
            <Confirm title={`Delete the webhook ${name}?`} label="Delete" act={remove} close={close}>
              <p>{webhook.url} is told nothing any more.</p>
            </Confirm>
          )}
        </Opens>
      </header>
      {secret !== undefined && (
        <Once
          title={`The new key of ${name}`}
          secret={secret}
          words="It signs what is told: the other side checks with it that this server tells it."
          close={() => setSecret(undefined)}
        />
      )}
      <p>
        <WebhookBadge webhook={webhook} />
      </p>
      {webhook.reason && <p class="failure">{webhook.reason}</p>}
      <div class="boxes loose">
        <section class="box">
          <h2>How it is set up</h2>
          <dl class="facts">
            <dt>Data center</dt>
            <dd>{webhook.dc ?? 'all'}</dd>
            <dt>Created</dt>
            <dd>
              <Time at={webhook.created} />
            </dd>
            {webhook.failing_since && (
              <>
                <dt>Failing since</dt>
                <dd>
                  <Time at={webhook.failing_since} />
                </dd>
              </>
            )}
          </dl>
          <ChangeOf
            path={path}
            query={query}
            answer={answer}
            refresh={refresh}
            name={user}
            fields={[...webhookFields, activeField]}
            from={webhookWish}
            done={() => toast(`${name} is changed`)}
          />
        </section>
        <WebhookDeliveries name={name} query={query} done={refresh} />
      </div>
    </article>
  );
}

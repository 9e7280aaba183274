import { useState } from 'preact/hooks';
import { ask, part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { useAsked } from '../api/use-asked.js';
import { Badge } from './badge.js';
import { Failure } from './failure.js';
import { Lines } from './lines.js';
import { toast } from './toasts.js';
import { useEvery } from './use-every.js';
import { Time } from './words.js';

type Delivery = Results['PingWebhook'];

/** Nobody tells of deliveries: they are asked for again, in milliseconds. */
const AGAIN = 5000;

const isGood = ({ status }: Delivery) => status !== null && status >= 200 && status < 300;

interface Props {
  name: string;
  query: Record<string, string>;
  done: () => void;
}

/** What a webhook was told lately, and how that went. */
export function WebhookDeliveries({ name, query, done }: Props) {
  const path = `/webhook/${part(name)}`;
  const { answer, failure, refresh, poll } = useAsked<Delivery[]>(`${path}/delivery`, { query });
  useEvery(AGAIN, poll);
  const [isPinging, setPinging] = useState(false);
  const ping = async () => {
    if (isPinging) return;
    setPinging(true);
    try {
      const { result } = await ask<Delivery>(`${path}/ping`, { method: 'POST', query });
      toast(isGood(result) ? `${name} has answered ${result.status}` : `${name}: ${wordsOf(result)}`, {
        isBad: !isGood(result),
      });
    } catch (error) {
      toast((error as Error).message, { isBad: true });
    } finally {
      setPinging(false);
      refresh();
      done();
    }
  };
  return (
    <section class="box">
      <h2>What it was told lately</h2>
      {failure && <Failure of={failure} again={refresh} />}
      <Lines
        label="deliveries"
        of={answer?.result}
        idOf={({ id, at }) => `${id} ${at}`}
        title={(one) => (
          <>
            <Badge text={isGood(one) ? 'taken' : 'not taken'} tone={isGood(one) ? 'good' : 'bad'} /> {one.events}{' '}
            {one.events === 1 ? 'event' : 'events'}, <Time at={one.at} />
          </>
        )}
        details={(one) => (
          <>
            {wordsOf(one)}, after {one.took} ms
          </>
        )}
        empty="Nothing yet."
      />
      <p class="quiet">
        What is not taken is told again by itself; where that is in vain for too long, it is switched off.
      </p>
      <button type="button" aria-disabled={isPinging} onClick={ping}>
        {isPinging ? 'asking …' : 'Ping it'}
      </button>
    </section>
  );
}

const wordsOf = ({ status, error }: Delivery) => error ?? (status === null ? 'nobody answered' : `answered ${status}`);

import test from 'ava';
import {
  afterAttempt,
  type CampaignNode,
  countsOf,
  isTurn,
  MOST_TRIES,
  notBack,
  shareOf,
  waitingAgain,
} from '../../server/model/campaign.js';
import { table } from '../support/table.js';

const now = new Date('2030-01-01T00:00:00.000Z');
const later = (milliseconds: number) => new Date(now.getTime() + milliseconds).toISOString();
const options = { now, pauses: [1000, 5000] };
const pulling: CampaignNode = { campaign: 'c', node: 'n', state: 'pulling', at: later(-1), tries: 0, task: 't' };

const law = table<'code' | 'at once' | 'in the end'>(`
  code                     at once  in the end
  -                        done     done
  ObjectAlreadyExists      done     done
  NodeUnsuitable           skipped  skipped
  NodeNotManaged           skipped  skipped
  InsufficientSpace        skipped  skipped
  ResourceNotFound         skipped  skipped
  NodeDown                 waiting  waiting
  NodeFailed               waiting  failed
  Busy                     waiting  failed
  ImagePending             waiting  failed
  ServiceUnavailableError  waiting  failed
  NotPermitted             failed   failed
  Cancelled                failed   failed
  InternalError            failed   failed
`);

test('what becomes of a node, by why its pull has failed', (t) => {
  for (const { code, ...verdicts } of law) {
    const refusal = code === '' ? undefined : { code, message: `it is ${code}` };
    t.is(afterAttempt(pulling, refusal, options).state, verdicts['at once'] as 'done', code);
    const last = { ...pulling, tries: MOST_TRIES - 1 };
    const after = afterAttempt(last, refusal, options);
    t.is(after.state, verdicts['in the end'] as 'done', `${code}, the last time`);
    t.is(after.error, after.state === 'done' ? undefined : `it is ${code}`);
    t.is(after.tries, MOST_TRIES);
  }
});

test('it is tried again after longer and longer, and at once when the node is back', (t) => {
  const away = { code: 'NodeDown', message: 'no route' };
  const first = afterAttempt(pulling, away, options);
  t.like(first, { state: 'waiting', away: true, next: later(1000), tries: 1, error: 'no route' });
  t.is(afterAttempt({ ...pulling, tries: 9 }, away, options).next, later(5000));
  t.false(isTurn(first, false, now));
  t.false(isTurn(first, undefined, now));
  t.true(isTurn(first, true, now), 'it answers again');
  t.true(isTurn(first, false, new Date(later(1000))));
  const failed = afterAttempt(pulling, { code: 'NodeFailed', message: 'no' }, options);
  t.is(failed.away, undefined);
  t.false(isTurn(failed, true, now), 'that it answers is no news');
  t.false(isTurn(pulling, true, now));
  t.true(isTurn(waitingAgain(first, now), false, now), 'from the beginning');
});

test('nobody waits for ever', (t) => {
  const first = afterAttempt(pulling, { code: 'NodeDown', message: 'no route' }, options);
  const given = notBack(first, later(0), now);
  t.is(given.state, 'failed');
  t.is(given.error, `it was away until ${later(0)}: no route`);
  t.deepEqual([given.next, given.away], [undefined, undefined]);
});

test('all that fetch have no more than the whole together', (t) => {
  t.is(shareOf({ atOnce: 4 }, 10), undefined);
  t.is(shareOf({ atOnce: 4, bandwidth: 100 }, 10), 25);
  t.is(shareOf({ atOnce: 4, bandwidth: 100 }, 2), 50);
  t.is(shareOf({ atOnce: 4, bandwidth: 100 }, 0), 100);
  t.is(shareOf({ atOnce: 64, bandwidth: 10 }, 64), 1);
});

test('nodes are counted by how far they are', (t) => {
  t.deepEqual(countsOf([]), { waiting: 0, pulling: 0, done: 0, skipped: 0, failed: 0 });
  t.like(countsOf([pulling, pulling, { state: 'done' }]), { pulling: 2, done: 1 });
});

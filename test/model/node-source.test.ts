import test from 'ava';
import {
  areSame,
  isSourceDue,
  masked,
  type NodeSources,
  secretIn,
  sourcesWith,
  wantedSources,
} from '../../server/model/node-source.js';

const settings = { VMS_IMAGE_SOURCES: ['https://images.example.com', 'http://10.1.1.1/base'], VMS_IMAGE_VM: null };
const url = 'http://images.test:8080/slipway';
const byToken = { knownByAddress: false };
const byAddress = { knownByAddress: true };

test('a node asks this server first, by its token unless it is known without', (t) => {
  const wanted = wantedSources(byToken, settings, url);
  t.deepEqual(sourcesWith(wanted, 'slipway_x'), [`${url}/n/slipway_x`, ...settings.VMS_IMAGE_SOURCES]);
  t.deepEqual(sourcesWith(wantedSources(byAddress, settings, url), 'x'), [url, ...settings.VMS_IMAGE_SOURCES]);
});

test('a server that keeps records only is not asked, and one that nodes do not find neither', (t) => {
  const recordsOnly = { ...settings, VMS_IMAGE_VM: '' };
  t.deepEqual(sourcesWith(wantedSources(byToken, recordsOnly, undefined), 'x'), settings.VMS_IMAGE_SOURCES);
  t.throws(() => wantedSources(byToken, settings, undefined), { message: /publicUrl is not set/ });
  t.throws(() => wantedSources(byToken, settings, 'http://127.0.0.1:80'), { message: /every node finds itself/ });
});

test('the secret is found in what the node has, whatever stands around it', (t) => {
  const wanted = wantedSources(byToken, settings, url);
  t.is(secretIn(['http://other', `${url}/n/slipway_x/`], wanted), 'slipway_x');
  t.is(secretIn([`${url}/n/slipway_x`], wanted), 'slipway_x');
  t.is(secretIn([url, 'http://other/n/slipway_x'], wanted), undefined);
  t.is(secretIn([`${url}/n/slipway_x`], { others: [] }), undefined);
});

test('lists are the same in the same order, with and without slashes at the end', (t) => {
  t.true(areSame(['http://a', 'http://b/x'], ['http://a/', 'http://b/x']));
  t.true(areSame([], []));
  t.false(areSame(['http://a', 'http://b'], ['http://b', 'http://a']));
  t.false(areSame(['http://a'], ['http://a', 'http://b']));
  t.false(areSame(['http://a', 'http://b'], ['http://a']));
});

test('nothing secret is left in what is shown, and nothing that a terminal would obey', (t) => {
  const shown = (source: string) => masked([source])[0];
  t.is(shown(`${url}/n/slipway_abcdefghijklmnopqrstuvwx`), `${url}/n/…`);
  t.is(shown('http://a/n/whatever/x'), 'http://a/n/…/x');
  t.is(shown('https://ann:secret@host/x'), 'https://…@host/x');
  t.is(shown('https://host/x?token=secret'), 'https://host/x?…');
  t.is(shown('https://host/slipway_abcdefghijklmnopqrstuvwx'), 'https://host/slipway_…');
  t.is(shown('http://a/\u001b[2J\n'), 'http://a/_[2J_');
  t.is(masked(Array.from({ length: 1000 }, () => 'x'.repeat(10_000))).join('').length, 32 * 300);
});

const MINUTE = 60_000;
const now = new Date('2030-01-01T00:00:00Z');
const ago = (minutes: number) => new Date(now.getTime() - minutes * MINUTE).toISOString();
const known = (state: NodeSources['state'], failures: number, checked: string): NodeSources => ({
  node: 'n',
  state,
  failures,
  checked,
  since: checked,
  wanted: ['http://a'],
});

test('a node is told when something else is wanted, and again after a pause when it has failed', (t) => {
  const due = (one: NodeSources | undefined, wanted = ['http://a']) => isSourceDue(one, wanted, now);
  t.true(due(undefined));
  t.false(due(known('ok', 0, ago(1000))), 'that it was changed there is found by its inventory');
  t.true(due(known('ok', 0, ago(0)), ['http://b']));
  t.true(due(known('offline', 9, ago(0)), ['http://b']), 'at once, though it has failed');
  t.false(due(known('failed', 1, ago(0.9))));
  t.true(due(known('failed', 1, ago(1))));
  t.false(due(known('offline', 3, ago(3.9))));
  t.true(due(known('offline', 3, ago(4))));
  t.true(due(known('offline', 40, ago(60))), 'once an hour in the end');
});

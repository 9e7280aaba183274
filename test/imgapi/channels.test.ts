import test from 'ava';
import { type Channel, checkChannels, inSelection, selectChannel } from '../../imgapi/channels.js';
import { refusalOf } from './refusals.js';

const dev = { name: 'dev', description: 'for developers', default: true };
const staging = { name: 'staging', description: 'almost there' };
const server = [staging, dev];

test('channels as configured', (t) => {
  t.deepEqual(checkChannels(undefined), []);
  t.deepEqual(checkChannels([]), []);
  t.deepEqual(checkChannels([{ ...staging, default: false }, dev]), server);
});

const mistakes: [what: string, value: unknown, message: RegExp][] = [
  ['no list', { dev }, /must be a list/],
  ['no object', ['dev'], /name and a description/],
  ['no name', [{ description: 'x' }], /name must be/],
  ['a bad name', [{ ...staging, name: 'Dev' }], /"Dev"/],
  ['the star', [{ ...staging, name: '*' }], /"\*"/],
  ['a bad description', [{ name: 'dev', description: 5 }], /description of channel dev/],
  ['a bad default', [{ ...dev, default: 'yes' }], /default of channel dev/],
  ['two defaults', [dev, { ...staging, default: true }], /dev and staging/],
  ['the same twice', [dev, staging, staging], /staging is configured twice/],
];

for (const [what, value, message] of mistakes) {
  test(`a configuration with ${what}`, (t) => {
    t.throws(() => checkChannels(value), { message });
  });
}

const INVALID = 'ValidationFailed channel:Invalid';
const MISSING = 'ValidationFailed channel:MissingParameter';
const any = { any: true };
const one = (name: string) => ({ any: false, name });

type Outcome = object | string | undefined;
const rows: [what: string, channels: Channel[], raw: string | string[] | undefined, normal: Outcome, star: Outcome][] =
  [
    ['no channels, none named', [], undefined, undefined, undefined],
    ['no channels, one named', [], 'dev', undefined, undefined],
    ['no channels, star', [], '*', undefined, undefined],
    ['no channels, repeated', [], ['a', 'b'], undefined, undefined],
    ['none named', server, undefined, one('dev'), one('dev')],
    ['an empty name', server, '', one('dev'), one('dev')],
    ['none named, no default', [staging], undefined, MISSING, MISSING],
    ['an empty name, no default', [staging], '', MISSING, MISSING],
    ['star', server, '*', INVALID, any],
    ['unknown', server, 'prod', INVALID, INVALID],
    ['what every object has', server, 'constructor', INVALID, INVALID],
    ['repeated', server, ['dev', 'dev'], INVALID, INVALID],
    ['known', server, 'staging', one('staging'), one('staging')],
  ];

for (const [what, channels, raw, normal, star] of rows) {
  for (const [options, outcome] of [
    [{ star: false }, normal],
    [{ star: true }, star],
  ] as const) {
    test(`selected: ${what}, ${options.star ? 'star route' : 'normal route'}`, (t) => {
      const select = () => selectChannel(channels, raw, options);
      if (typeof outcome === 'string') t.is(refusalOf(t, select), outcome);
      else t.deepEqual<unknown, unknown>(select(), outcome);
    });
  }
}

test('what is in a selection', (t) => {
  t.true(inSelection(undefined, undefined));
  t.true(inSelection(['dev'], undefined));
  t.true(inSelection(['dev'], { any: true }));
  t.false(inSelection(undefined, { any: true }));
  t.true(inSelection(['a', 'dev'], { any: false, name: 'dev' }));
  t.false(inSelection(['a'], { any: false, name: 'dev' }));
  t.false(inSelection(undefined, { any: false, name: 'dev' }));
});

import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { deflateSync, gzipSync } from 'node:zlib';
import test from 'ava';
import { routes } from '../../server/routes/table.js';
import { sample, startServer } from '../support/server.js';
import { table } from '../support/table.js';
import { kept, told } from '../support/told.js';

const JSON_TYPE = 'application/json';
const FORM = 'application/x-www-form-urlencoded';
const TOO_LARGE = 1024 * 1024 + 1;

const manifest = JSON.stringify(sample('dc'));
const texts = Object.entries(sample('dc')).map(([name, value]): [string, string] => [name, String(value)]);
const form = new URLSearchParams(texts).toString();
const nested = (depth: number) => manifest.replace('{', `{"tags": {"x": ${'['.repeat(depth)}${']'.repeat(depth)}}, `);

const bodies: Record<string, Buffer | string> = {
  manifest,
  form,
  'with a BOM': `\ufeff${manifest}`,
  'in lines': `\r\n\t${JSON.stringify(sample('dc'), null, 4)}\n`,
  escaped: manifest.replace('sample', '\\u0073ample'),
  empty: '',
  blank: ' \r\n\t ',
  null: 'null',
  number: '5',
  text: '"manifest"',
  true: 'true',
  list: '[]',
  'list of one': `[${manifest}]`,
  cut: manifest.slice(0, -1),
  twice: manifest + manifest,
  comment: `// sample\n${manifest}`,
  'single quotes': manifest.replaceAll('"', "'"),
  'not UTF-8': Buffer.from(manifest.replace('sample', 's\u00e4mple'), 'latin1'),
  'UTF-16': Buffer.from(manifest, 'utf16le'),
  'deep enough': nested(62),
  'too deep for tags': nested(80),
  'too deep': nested(99),
  'much too deep': '['.repeat(100_000),
  'brackets in text': manifest.replace('sample', 'sample", "description": "\\"[[[[').replace('[[', '['.repeat(500)),
  'too large': manifest + ' '.repeat(TOO_LARGE),
  gzip: gzipSync(manifest),
  'gzip of a form': gzipSync(form),
  'gzip of nothing': gzipSync(''),
  'gzip of nonsense': gzipSync('nonsense'),
  'gzip cut': gzipSync(manifest).subarray(0, -9),
  'gzip of too much': gzipSync(Buffer.alloc(TOO_LARGE, ' ')),
  deflate: deflateSync(manifest),
};

const forms = table<'type' | 'encoding' | 'md5' | 'body' | 'told'>(`
  type                             encoding  md5     body               told
  application/json                 -         -       manifest           200
  application/json; charset=utf-8  -         -       manifest           200
  application/json;charset=UTF-8   -         -       manifest           200
  Application/JSON                 -         -       manifest           200
  application/json                 -         -       with a BOM         200
  application/json                 -         -       in lines           200
  application/json                 -         -       escaped            200
  application/json                 -         right   manifest           200
  application/json                 -         wrong   manifest           400 BadDigest
  application/json                 -         hex     manifest           400 BadDigest
  application/json                 -         wrong   cut                400 BadDigest
  application/json                 -         wrong   empty              400 BadDigest
  application/json                 -         right   cut                400 InvalidContent
  application/json                 -         -       empty              422 ValidationFailed body:MissingParameter
  application/json                 -         -       blank              422 ValidationFailed body:MissingParameter
  application/json                 -         -       null               422 ValidationFailed body:MissingParameter
  application/json                 -         -       number             422 ValidationFailed body:MissingParameter
  application/json                 -         -       text               422 ValidationFailed body:MissingParameter
  application/json                 -         -       true               422 ValidationFailed body:MissingParameter
  application/json                 -         -       list               422 ValidationFailed body:MissingParameter
  application/json                 -         -       list of one        422 ValidationFailed body:MissingParameter
  application/json                 -         -       cut                400 InvalidContent
  application/json                 -         -       twice              400 InvalidContent
  application/json                 -         -       comment            400 InvalidContent
  application/json                 -         -       single quotes      400 InvalidContent
  application/json                 -         -       form               400 InvalidContent
  application/json                 -         -       not UTF-8          400 InvalidContent
  application/json                 -         -       UTF-16             400 InvalidContent
  application/json                 -         -       deep enough        200
  application/json                 -         -       too deep for tags  422 ValidationFailed tags:Invalid
  application/json                 -         -       too deep           400 InvalidContent
  application/json                 -         -       much too deep      400 InvalidContent
  application/json                 -         -       brackets in text   200
  application/json                 -         -       too large          413 RequestEntityTooLarge
  application/json                 gzip      -       gzip               200
  application/json                 gzip      right   gzip               200
  application/json                 gzip      wrong   gzip               400 BadDigest
  application/json                 gzip      -       gzip of nothing    422 ValidationFailed body:MissingParameter
  application/json                 gzip      -       gzip of nonsense   400 InvalidContent
  application/json                 gzip      -       gzip cut           400 InvalidContent
  application/json                 gzip      -       manifest           400 InvalidContent
  application/json                 gzip      -       gzip of too much   413 RequestEntityTooLarge
  application/json                 -         -       gzip               400 InvalidContent
  application/json                 identity  -       manifest           200
  application/json                 deflate   -       deflate            400 InvalidContent
  FORM                             -         -       form               200
  FORM; charset=utf-8              -         -       form               200
  FORM                             -         right   form               200
  FORM                             -         wrong   form               400 BadDigest
  FORM                             gzip      -       gzip of a form     200
  FORM                             -         -       empty              422 ValidationFailed body:MissingParameter
  FORM                             -         -       too large          413 RequestEntityTooLarge
  text/plain                       -         -       manifest           422 ValidationFailed body:MissingParameter
  text/plain                       -         wrong   manifest           422 ValidationFailed body:MissingParameter
  text/json                        -         -       manifest           422 ValidationFailed body:MissingParameter
  application/octet-stream         -         -       manifest           422 ValidationFailed body:MissingParameter
  application/jsonp                -         -       manifest           422 ValidationFailed body:MissingParameter
  application/x-json               -         -       manifest           422 ValidationFailed body:MissingParameter
  multipart/form-data              -         -       form               422 ValidationFailed body:MissingParameter
  -                                -         -       manifest           422 ValidationFailed body:MissingParameter
  -                                -         -       empty              422 ValidationFailed body:MissingParameter
`);

const md5 = (body: Buffer | string) => createHash('md5').update(body);

test('how a body may be written', async (t) => {
  const server = await startServer(t);
  let created = 0;
  for (const row of forms) {
    const body = bodies[row.body]!;
    const digests: Record<string, string> = {
      right: md5(body).digest('base64'),
      wrong: md5('other').digest('base64'),
      hex: md5(body).digest('hex'),
    };
    const headers = {
      ...(row.type && { 'content-type': row.type.replace('FORM', FORM) }),
      ...(row.encoding && { 'content-encoding': row.encoding }),
      ...(row.md5 && { 'content-md5': digests[row.md5]! }),
    };
    const answer = await server.ask('POST', '/images', { body, headers });
    const why = Object.values(row).join(' | ');
    t.is(told(answer), row.told, why);
    if (answer.status !== 200) continue;
    created += 1;
    t.like(answer.json, { ...sample('dc'), state: 'unactivated' }, why);
  }
  t.is((await kept(server)).images.length, created, 'what was refused created nothing');
});

test('a body in chunks is read like any other', async (t) => {
  const { ask } = await startServer(t);
  const headers = { 'content-type': JSON_TYPE };
  const body = () => Readable.from([manifest.slice(0, 10), manifest.slice(10)]);
  t.is((await ask('POST', '/images', { body: body(), headers })).status, 200);
  const endless = Readable.from([Buffer.alloc(TOO_LARGE, ' ')]);
  t.is(told(await ask('POST', '/images', { body: endless, headers })), '413 RequestEntityTooLarge');
});

test('a form gives text, which is read where the manifest has something else', async (t) => {
  const { ask } = await startServer(t);
  const values = { ...sample('dc'), v: '2', disabled: 'true', public: 'false', description: 'a + b & c' };
  const send = (more: Record<string, string>) => {
    const body = new URLSearchParams({ ...values, ...more }).toString();
    return ask('POST', '/images', { body, headers: { 'content-type': FORM } });
  };
  const { json } = await send({});
  t.like(json, { ...sample('dc'), v: 2, disabled: true, public: false, description: 'a + b & c' });
  const zvol = { type: 'zvol', nic_driver: 'virtio', disk_driver: 'virtio', cpu_type: 'host', image_size: '1024' };
  t.is((await send(zvol)).json.image_size, 1024);
  t.is(told(await send({ tags: '{}' })), '422 ValidationFailed tags:Invalid');
  t.is(told(await send({ disabled: '' })), '422 ValidationFailed disabled:Invalid');
});

test('every route that takes a body refuses what can not be read', async (t) => {
  const { ask, image } = await startServer(t);
  const { uuid } = await image({}, { activate: false });
  const takers = routes.filter((route) => route.body);
  t.true(takers.length >= 5);
  for (const { method, path } of takers) {
    const target = `${path.replace(':uuid', uuid)}?action=update`;
    const send = (body: string, more: Record<string, string> = {}) =>
      ask(method, target, { body, headers: { 'content-type': JSON_TYPE, ...more } });
    t.is(told(await send('{nonsense')), '400 InvalidContent', target);
    t.is(told(await send('{}', { 'content-md5': 'AAAA' })), '400 BadDigest', target);
    t.is(told(await send('nonsense', { 'content-encoding': 'gzip' })), '400 InvalidContent', target);
  }
});

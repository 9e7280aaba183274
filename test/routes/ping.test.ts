import test from 'ava';
import { errors } from '../../imgapi/errors.js';
import { startServer } from '../support/server.js';
import { table } from '../support/table.js';

const who = table<'mode' | 'caller' | 'pid' | 'user'>(`
  mode     caller     pid  user
  public   anonymous  no   -
  public   admin      yes  admin
  public   trusted    yes  -
  private  anonymous  no   -
  private  admin      yes  admin
  private  trusted    yes  -
  dc       anonymous  yes  -
  dc       admin      yes  admin
  dc       trusted    yes  -
`);

for (const { mode, caller, pid, user } of who) {
  test(`mode ${mode}: ${caller} is told ${pid === 'yes' ? 'the' : 'no'} pid, ${user || 'no user'}`, async (t) => {
    const { ask } = await startServer(t, {
      mode: mode as 'public' | 'private' | 'dc',
      version: '4.5.6',
      trusts: () => caller === 'trusted',
    });
    const { status, json } = await ask('GET', '/ping', { as: caller === 'admin' ? 'admin' : 'anonymous' });
    t.is(status, 200);
    t.deepEqual(json as object, {
      ping: 'pong',
      version: '4.5.6',
      imgapi: true,
      ...(pid === 'yes' && { pid: process.pid }),
      ...(user && { user }),
    });
  });
}

test('with authType none everybody is told the pid', async (t) => {
  const { ask } = await startServer(t, { mode: 'public', authType: 'none' });
  t.is((await ask('GET', '/ping')).json.pid, process.pid);
});

test('pings need neither a channel nor an account', async (t) => {
  const { ask } = await startServer(t, { channels: [{ name: 'dev', description: '' }] });
  t.is((await ask('GET', '/ping?channel=nope&account=nope')).status, 200);
});

const simulated = table<'error' | 'status' | 'code' | 'fields'>(`
  error                      status  code                    fields
  ValidationFailed           422     ValidationFailed        []
  InvalidParameter           422     InvalidParameter        [{"field":"foo","code":"Invalid"}]
  ImageFilesImmutable        422     ImageFilesImmutable     -
  ImageFilesImmutableError   422     ImageFilesImmutable     -
  ImageAlreadyActivated      422     ImageAlreadyActivated   -
  NoActivationNoFile         422     NoActivationNoFile      -
  OperatorOnly               403     OperatorOnly            -
  ImageUuidAlreadyExists     409     ImageUuidAlreadyExists  -
  StorageIsDown              503     StorageIsDown           -
  StorageUnsupported         503     StorageUnsupported      -
  RemoteSource               503     RemoteSourceError       -
  RemoteSourceError          503     RemoteSourceError       -
  Internal                   500     InternalError           -
  InternalError              500     InternalError           -
  -                          500     InternalError           -
  Upload                     500     InternalError           -
  ResourceNotFound           500     InternalError           -
  ResourceNotFoundError      500     InternalError           -
  Unauthorized               500     InternalError           -
  MissingParameter           500     InternalError           -
  Nonsense                   422     InvalidParameter        [{"field":"error","code":"Missing"}]
  Error                      422     InvalidParameter        [{"field":"error","code":"Missing"}]
  constructor                422     InvalidParameter        [{"field":"error","code":"Missing"}]
  validationfailed           422     InvalidParameter        [{"field":"error","code":"Missing"}]
`);

test('simulates errors', async (t) => {
  const { ask } = await startServer(t);
  for (const { error, status, code, fields } of simulated) {
    const answer = await ask('GET', `/ping?error=${error}&message=ignored`);
    t.is(answer.status, Number(status), error);
    t.is(answer.json.code, code, error);
    t.is(typeof answer.json.message, 'string', error);
    t.not(answer.json.message, 'ignored', error);
    const found = answer.json.errors?.map(({ field, code }) => ({ field, code }));
    t.deepEqual(found, fields ? JSON.parse(fields) : undefined, error);
    t.truthy(answer.headers.server, error);
  }
});

test('every known error can be asked for', async (t) => {
  const { ask } = await startServer(t);
  for (const code of Object.keys(errors)) {
    const { status, json } = await ask('GET', `/ping?error=${code}`);
    t.true(json.code === code ? status === errors[code as keyof typeof errors][0] : status === 500, code);
  }
});

test('an error that is asked for twice is none', async (t) => {
  const { ask } = await startServer(t);
  const { status, json } = await ask('GET', '/ping?error=Upload&error=Upload');
  t.is(status, 422);
  t.like(json.errors?.[0], { field: 'error', code: 'Invalid' });
});

test('wrong credentials come before the error that is asked for', async (t) => {
  const { ask } = await startServer(t);
  const { json } = await ask('GET', '/ping?error=StorageIsDown', { headers: { authorization: 'Bearer wrong' } });
  t.is(json.code, 'UnauthorizedError');
});

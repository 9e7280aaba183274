import test from 'ava';
import { numbered } from '../support/fixtures.js';
import { startServer, type TestServer } from '../support/server.js';
import { kept, told } from '../support/told.js';

/** How a job ends. */
async function ended({ deps, ask }: TestServer, job: unknown) {
  await deps.tasks.settled(String(job), new AbortController().signal);
  return (await ask('GET', `/jobs/${job}`, { as: 'admin' })).json;
}

for (const mode of ['dc', 'public'] as const) {
  test(`${mode}: an image of another server comes with its origins and its icon`, async (t) => {
    const from = await startServer(t);
    const here = await startServer(t, { mode });
    const base = await from.image({ name: 'base' }, { file: 'the base' });
    const image = await from.image({ name: 'top', origin: base.uuid }, { file: 'the top' });
    const icon = Buffer.from([0x89, 0x50, 0x4e, 0x47, 1, 2, 3]);
    await from.ask('PUT', `/images/${image.uuid}/icon`, { body: icon, headers: { 'content-type': 'image/png' } });

    const asked = await here.ask('POST', `/images/${image.uuid}?action=import-remote&source=${from.url}`);
    t.is(asked.status, 200, String(asked.bytes));
    t.is(asked.json.image_uuid, image.uuid);
    t.is(asked.headers['workflow-api'], here.url);
    const job = await ended(here, asked.json.job_uuid);
    t.like(job, { execution: 'succeeded', image_uuid: image.uuid });
    t.deepEqual(
      (job.chain_results as { name: string; error: string }[]).map(({ name, error }) => [name, error]),
      [
        [`import image ${base.uuid}`, ''],
        [`import image ${image.uuid}`, ''],
      ],
    );
    for (const [uuid, bytes] of [
      [base.uuid, 'the base'],
      [image.uuid, 'the top'],
    ] as const) {
      const { json } = await here.ask('GET', `/images/${uuid}`);
      t.like(json, { state: 'active', published_at: (await from.ask('GET', `/images/${uuid}`)).json.published_at });
      t.is((await here.ask('GET', `/images/${uuid}/file`)).bytes.toString(), bytes);
    }
    const { headers, bytes } = await here.ask('GET', `/images/${image.uuid}/icon`);
    t.is(headers['content-type'], 'image/png');
    t.deepEqual(bytes, icon);
    t.is(
      told(await here.ask('POST', `/images/${image.uuid}?action=import-remote&source=${from.url}`)),
      '409 ImageUuidAlreadyExists',
    );
    t.deepEqual(await kept(here), { images: [base.uuid, image.uuid].sort(), whole: 3, staged: 0 });
    t.is(told(await here.ask('GET', `/images/${numbered(1)}`)), '404 ResourceNotFound');
  });
}

import type { ExecutionContext } from 'ava';
import { routes } from '../../server/routes/table.js';
import { addDatacenter, grant } from './datacenters.js';
import { addUser } from './fixtures.js';
import { type Answer, type ServerOptions, startServer, type TestServer } from './server.js';

/** Asks, and holds what was answered against the description of the call. */
type Call = (method: string, path: string, body?: object) => Promise<Answer>;

/** A server with two data centers, and the people who manage them. */
export interface Fleet extends TestServer {
  /** SuperAdmin. */
  root: Call;
  /** Manages the images of east, and may import and publish there. */
  eve: Call;
  /** Administrates east only. */
  dora: Call;
  /** Manages the images of west. */
  will: Call;
  /** Is a member of east. */
  mia: Call;
  /** Is nobody. */
  sam: Call;
}

export async function startFleet(t: ExecutionContext, options: ServerOptions = {}): Promise<Fleet> {
  const server = await startServer(t, options);
  await addDatacenter(server, 'east');
  await addDatacenter(server, 'west');
  const person = async (name: string, dc?: string, ...permissions: Parameters<typeof grant>[3][]): Promise<Call> => {
    const user = await addUser(server, name);
    if (dc !== undefined) await grant(server, user, dc, ...permissions);
    return (method, path, body) =>
      asDescribed(
        method,
        path,
        server.ask(method, path, { as: 'anonymous', headers: user.headers, ...(body && { body }) }),
      );
  };
  return {
    ...server,
    root: (method, path, body) =>
      asDescribed(method, path, server.ask(method, path, { as: 'admin', ...(body && { body }) })),
    eve: await person('eve', 'east', 'admin', 'image_admin', 'image_import_admin', 'share_public'),
    dora: await person('dora', 'east', 'admin'),
    will: await person('will', 'west', 'admin', 'image_admin'),
    mia: await person('mia', 'east'),
    sam: await person('sam'),
  };
}

async function asDescribed(method: string, path: string, asked: Promise<Answer>): Promise<Answer> {
  const answer = await asked;
  const description = described.find((route) => route.method === method && route.matches(path))?.description;
  if (!description || answer.status >= 400) return answer;
  // A task is told of without a result, until it has one.
  if (answer.status === 201 && answer.json.status !== 'SUCCESS') return answer;
  if (answer.status !== description.status && !description.atOnce)
    throw new Error(`${method} ${path}: ${answer.status}`);
  const found = description.answer?.safeParse(answer.json.result);
  if (found?.error) throw new Error(`${method} ${path} is not answered as described`, { cause: found.error });
  return answer;
}

const described = routes
  .filter(({ description }) => description)
  .map(({ method, path, description }) => {
    const pattern = new RegExp(`^${path.replace(/:\w+/g, '[^/]+')}/?$`);
    return { method, description, matches: (target: string) => pattern.test(target.replace(/\?.*/, '')) };
  });

export const manifest = { name: 'base', version: '1.0', os: 'smartos', type: 'zone-dataset' };
export const disk = {
  name: 'disk',
  version: '1.0',
  os: 'linux',
  type: 'zvol',
  image_size: 10_240,
  nic_driver: 'virtio',
  disk_driver: 'virtio',
  cpu_type: 'host',
};

/** An image as management makes it, with its file and activated; its uuid. */
export async function addImage(
  { root, ask }: Fleet,
  name: string,
  body: Record<string, unknown> = {},
): Promise<string> {
  const made = await root('POST', `/api/image/${name}`, {
    manifest: { ...manifest, version: `1.${name}`.slice(0, 16) },
    dc: 'east',
    ...body,
  });
  if (made.status !== 201) throw new Error(`not made: ${made.bytes}`);
  const { uuid } = made.json.result as { uuid: string };
  const sent = await ask('PUT', `/images/${uuid}/file?compression=none`, { body: 'the bytes' });
  if (sent.status !== 200) throw new Error(`no file: ${sent.bytes}`);
  await ask('POST', `/images/${uuid}?action=activate`);
  return uuid;
}

/** The result of an answer, as whatever the test says that it is. */
export const resultOf = <T = Record<string, unknown>>({ json }: Answer): T => json.result as T;

/** As tables spell an answer of management: `200`, or `400 InvalidInput alias`. */
export function said({ status, json }: Answer): string {
  const fields = json.errors?.map(({ field }) => field) ?? [];
  return [status, ...(status >= 400 ? [json.code, ...fields] : [])].join(' ');
}

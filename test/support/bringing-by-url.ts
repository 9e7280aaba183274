import type { ExecutionContext } from 'ava';
import { numbered } from './fixtures.js';
import { gate } from './gate.js';
import { BYTES } from './lying-remote.js';
import { startFleet } from './managed.js';
import { type Reply, remote } from './remote.js';
import { consoleFiles, type Seat, takeSeat } from './seat.js';
import type { ServerOptions } from './server.js';

export const UUID = numbered(1);
export const IMAGE = `GET /images/${UUID}`;

/** A file that comes when the test says so. Whoever asks first looks only whether it is there. */
export function heldFile(t: ExecutionContext) {
  const { opened, open } = gate();
  t.teardown(open);
  let asked = 0;
  const file: Reply = async (_, response) => {
    asked += 1;
    response.writeHead(200, { 'content-length': BYTES.length });
    response.write(BYTES.slice(0, 9));
    if (asked > 1) await opened;
    response.end(BYTES.slice(9));
  };
  return { file, open };
}

export async function beginByUrl(
  t: ExecutionContext,
  replies: Record<string, object | Reply>,
  options: ServerOptions = {},
) {
  const fleet = await startFleet(t, { console: consoleFiles, ...options });
  const from = await remote(t, replies);
  const seat = await takeSeat(t, fleet, { token: 'token-of-eve' });
  await seat.open('/bring/url');
  return { fleet, from, ...seat };
}

export const manifestIn = ({ page }: Pick<Seat, 'page'>) =>
  page.getByRole('region', { name: 'what its manifest says' });
export const ADDRESS = 'Address of the manifest';
export const press = ({ page }: Pick<Seat, 'page'>) =>
  page.getByRole('button', { name: 'Import', exact: true }).click();

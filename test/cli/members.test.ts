import test from 'ava';
import { commandLineOf } from '../support/command-line.js';
import { ownCatalog } from '../support/engines.js';
import { sharing } from '../support/members.js';
import { startServer } from '../support/server.js';

test('the daemons of a server are listed, for SuperAdmins', async (t) => {
  const [, b] = sharing(await ownCatalog(), ['east-1', 'east-2']);
  const server = await startServer(t, { catalog: b!.catalog });
  const { slipway } = commandLineOf(server, server.token);
  const { stdout } = await slipway(['member', 'list']);
  t.regex(
    stdout,
    /^NAME +VERSION +SINCE +FIRST +SELF +TASKS\neast-1 +1 +\S+Z +yes +no +0\neast-2 +1 +\S+Z +no +yes +0\n$/,
  );
  t.regex((await slipway(['member', 'ls', '--csv', '-H'])).stdout, /^east-1,1,.*\neast-2,1,.*\n$/);
});

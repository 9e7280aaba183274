import { startFleet } from '../support/managed.js';
import { consoleFiles, seriousOf, takeSeat, test } from '../support/seat.js';

test('whoever is signed in sees the frame, and the images of the data centers', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const { page, open, complaints } = await takeSeat(t, server, { token: server.token });
  await open('/');
  await page.getByRole('heading', { name: 'Images', level: 1 }).waitFor();
  await page.getByText('live', { exact: true }).waitFor();
  t.deepEqual(await seriousOf(page), []);
  t.deepEqual(complaints, []);
});

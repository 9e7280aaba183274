import { Agent, request } from 'node:http';
import { doJob } from './load.js';

export interface ListsBesideWritesJob {
  port: number;
  token: string;
  list: string;
  /** Each is written to by a client of its own, one change after the other. */
  uuids: string[];
  seconds: number;
}

export interface ListedBesideWrites {
  lists: number;
  /** That the lists took; the rest of the time went into looking for the writes. */
  seconds: number;
  writes: number;
}

/** Stands in the description of an image, with the number of the write. */
const mark = (writer: number) => `written by ${writer}, time `;

doJob(async ({ port, token, list, uuids, seconds }: ListsBesideWritesJob): Promise<ListedBesideWrites> => {
  const agent = new Agent({ keepAlive: true });
  const ask = (method: string, path: string, body?: object): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
      const asked = request({ port, host: '127.0.0.1', method, path, agent, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk) => chunks.push(chunk)).once('error', reject);
        response.once('end', () => {
          const answer = Buffer.concat(chunks);
          if (response.statusCode === 200) resolve(answer);
          else reject(new Error(`${method} ${path}: ${response.statusCode} ${answer.subarray(0, 1000)}`));
        });
      });
      asked.once('error', reject).end(body && JSON.stringify(body));
    });

  const acknowledged: number[] = uuids.map(() => 0);
  const end = performance.now() + seconds * 1000;
  const write = async (uuid: string, writer: number) => {
    for (let time = 1; performance.now() < end; time += 1) {
      await ask('POST', `/images/${uuid}?action=update`, { description: `${mark(writer)}${time}.` });
      acknowledged[writer] = time;
    }
  };
  let lists = 0;
  let taken = 0;
  const look = async () => {
    while (performance.now() < end) {
      const before = [...acknowledged];
      const start = performance.now();
      const listed = await ask('GET', list);
      taken += performance.now() - start;
      lists += 1;
      for (const [writer, time] of before.entries()) {
        if (time > timeIn(listed, writer)) throw new Error(`write ${time} to ${uuids[writer]} is not in the list`);
      }
    }
  };
  await Promise.all([look(), ...uuids.map(write)]);
  agent.destroy();
  return { lists, seconds: taken / 1000, writes: acknowledged.reduce((sum, times) => sum + times, 0) };
});

function timeIn(listed: Buffer, writer: number): number {
  const at = listed.indexOf(mark(writer));
  return at < 0 ? 0 : Number.parseInt(listed.toString('latin1', at + mark(writer).length, at + 100), 10);
}

import { Agent, request } from 'node:http';
import { doJob } from './load.js';

export interface CreatesJob {
  /** Daemons that share what they keep; clients are spread over them. */
  ports: number[];
  token: string;
  /** What is asked for, again and again, under this name and a version of its own. */
  manifest: { name: string; [field: string]: unknown };
  /** How many images, by how many clients. */
  images: number;
  clients: number;
}

export interface Created {
  seconds: number;
}

/** Creates, and fails unless each of the daemons then shows what was created at all of them, no more and no less. */
doJob(async ({ ports, token, manifest, images, clients }: CreatesJob): Promise<Created> => {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const ask = (port: number, method: string, path: string, body?: object): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
      const sent = request({ host: '127.0.0.1', port, method, path, agent, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk) => chunks.push(chunk)).once('error', reject);
        response.once('end', () => {
          const answer = Buffer.concat(chunks).toString();
          if (response.statusCode === 200) resolve(JSON.parse(answer));
          else reject(new Error(`${method} ${path}: ${response.statusCode} ${answer.slice(0, 1000)}`));
        });
      });
      sent.once('error', reject).end(body && JSON.stringify(body));
    });

  const acknowledged = new Set<string>();
  let next = 0;
  const start = performance.now();
  const client = async (_: unknown, n: number) => {
    for (let image = next++; image < images; image = next++) {
      const wanted = { ...manifest, version: `1.0.${image}` };
      const { uuid } = (await ask(ports[n % ports.length]!, 'POST', '/images', wanted)) as { uuid: string };
      acknowledged.add(uuid);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  const seconds = (performance.now() - start) / 1000;
  for (const port of ports) {
    const listed = (await ask(port, 'GET', `/images?state=all&name=${manifest.name}`)) as { uuid: string }[];
    const seen = new Set(listed.map(({ uuid }) => uuid));
    const lost = [...acknowledged].filter((uuid) => !seen.has(uuid));
    if (lost.length > 0 || listed.length !== images) {
      throw new Error(`${listed.length} of ${images} images are in the list, and ${lost.length} are not there`);
    }
  }
  agent.destroy();
  return { seconds };
});

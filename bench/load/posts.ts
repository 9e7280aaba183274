import { Agent, request } from 'node:http';
import { doJob } from './load.js';

export interface PostsJob {
  port: number;
  path: string;
  token: string;
  body: string;
  /** Each posts again when it has its answer, on a connection that is kept alive. */
  clients: number;
  seconds: number;
}

export interface Posted {
  posts: number;
  seconds: number;
}

function post({ port, path, token, body }: PostsJob, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = {
      Authorization: `Bearer ${token}`,
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(body),
    };
    const sent = request({ host: '127.0.0.1', port, method: 'POST', path, agent, headers }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`the server said ${response.statusCode}`));
      response.on('error', reject).on('end', resolve).resume();
    });
    sent.on('error', reject).end(body);
  });
}

doJob(async (job: PostsJob): Promise<Posted> => {
  const agent = new Agent({ keepAlive: true, maxSockets: job.clients });
  let posts = 0;
  const start = performance.now();
  const end = start + job.seconds * 1000;
  const client = async () => {
    for (; performance.now() < end; posts += 1) await post(job, agent);
  };
  await Promise.all(Array.from({ length: job.clients }, client));
  agent.destroy();
  return { posts, seconds: (performance.now() - start) / 1000 };
});

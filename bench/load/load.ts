import { fork } from 'node:child_process';
import { once } from 'node:events';

interface Told<R> {
  result?: R;
  error?: string;
}

/** Clients are processes of their own: what they cost is not the server's, and not the bench's. */
export async function runLoad<J, R>(module: URL, job: J): Promise<R> {
  const child = fork(module, { serialization: 'advanced' });
  try {
    child.send(job as object);
    const [told] = (await Promise.race([once(child, 'message'), ended(child)])) as [Told<R>];
    if (told.error !== undefined) throw new Error(told.error);
    return told.result as R;
  } finally {
    child.kill();
  }
}

async function ended(child: ReturnType<typeof fork>): Promise<never> {
  const [code, signal] = await once(child, 'exit');
  throw new Error(`the load ended with ${code ?? signal}`);
}

/** What a module of load does with its one job. */
export function doJob<J, R>(work: (job: J) => Promise<R>): void {
  process.once('message', (job) => {
    work(job as J).then(
      (result) => process.send!({ result }),
      (error: Error) => process.send!({ error: error.stack }),
    );
  });
}

import { fork } from 'node:child_process';
import { once } from 'node:events';

interface Told<R> {
  result?: R;
  error?: string;
}

/** Clients at work. */
export interface Load<R> {
  result: Promise<R>;
  /** To those that go on until they are told: the result is what they have done so far. */
  stop(): void;
}

const STOP = 'stop';

/** Clients are processes of their own: what they cost is not the server's, and not the bench's. */
export function runLoad<J, R>(module: URL, job: J): Promise<R> {
  return startLoad<J, R>(module, job).result;
}

export function startLoad<J, R>(module: URL, job: J): Load<R> {
  const child = fork(module, { serialization: 'advanced' });
  const work = async () => {
    try {
      child.send(job as object);
      const [told] = (await Promise.race([once(child, 'message'), ended(child)])) as [Told<R>];
      if (told.error !== undefined) throw new Error(told.error);
      return told.result as R;
    } finally {
      child.kill();
    }
  };
  return { result: work(), stop: () => child.send(STOP) };
}

async function ended(child: ReturnType<typeof fork>): Promise<never> {
  const [code, signal] = await once(child, 'exit');
  throw new Error(`the load ended with ${code ?? signal}`);
}

/** For work that would go on: settles when the bench has had enough. */
export function stopped(): Promise<void> {
  return new Promise((resolve) => {
    process.on('message', (message) => {
      if (message === STOP) resolve();
    });
  });
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

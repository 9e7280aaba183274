import { type IncomingMessage, request } from 'node:http';

export interface SentEvent {
  id?: string;
  event?: string;
  data: Record<string, unknown>;
}

export interface Listening {
  status: number;
  /** The next event, whenever it comes; rejects when the stream has ended before. */
  next(): Promise<SentEvent>;
  /** Resolves when the stream has ended, with what came until then and was not asked for. */
  ended: Promise<SentEvent[]>;
  /** What it was sent and is no event. */
  comments(): number;
  close(): void;
}

/** Follows the events of a server on loopback. */
export function listen(port: number, headers: Record<string, string>, path = '/api/events'): Promise<Listening> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, headers, agent: false }, (response) =>
      resolve(listening(response, () => asked.destroy())),
    );
    asked.once('error', reject);
    asked.end();
  });
}

function listening(response: IncomingMessage, close: () => void): Listening {
  const arrived: SentEvent[] = [];
  const waiting: { resolve: (event: SentEvent) => void; reject: (error: Error) => void }[] = [];
  let comments = 0;
  let rest = '';
  let isOver = false;
  response.setEncoding('utf8').on('data', (text: string) => {
    const blocks = (rest + text).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const event = eventIn(block);
      if (!event) comments += 1;
      else if (waiting.length > 0) waiting.shift()?.resolve(event);
      else arrived.push(event);
    }
  });
  const ended = new Promise<SentEvent[]>((resolve) => {
    response.on('error', () => {}); // cut off: the end is told by close
    response.once('close', () => {
      isOver = true;
      for (const { reject } of waiting) reject(new Error('the stream has ended'));
      resolve(arrived);
    });
  });
  return {
    status: response.statusCode ?? 0,
    ended,
    comments: () => comments,
    close,
    next: () => {
      const event = arrived.shift();
      if (event) return Promise.resolve(event);
      if (isOver) return Promise.reject(new Error('the stream has ended'));
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
  };
}

/** None in a comment, or where only the time of the next attempt is said. */
function eventIn(block: string): SentEvent | undefined {
  const fields = Object.fromEntries(
    block.split('\n').flatMap((line) => {
      const [, name, value] = /^(\w+): (.*)$/.exec(line) ?? [];
      return name === undefined ? [] : [[name, value]];
    }),
  );
  if (fields.data === undefined) return undefined;
  return { ...fields, data: JSON.parse(fields.data) } as SentEvent;
}

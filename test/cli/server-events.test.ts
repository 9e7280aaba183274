import test from 'ava';
import { type ServerEvent, serverEvents } from '../../cli/server-events.js';

/** The events in this text, wherever it is cut into pieces. */
async function events(text: string, size: number): Promise<ServerEvent[]> {
  const bytes = Buffer.from(text);
  const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
    bytes.subarray(n * size, (n + 1) * size),
  );
  const all: ServerEvent[] = [];
  for await (const event of serverEvents(
    (async function* () {
      yield* pieces;
    })(),
  ))
    all.push(event);
  return all;
}

const streams: [what: string, text: string, found: ServerEvent[]][] = [
  ['nothing', '', []],
  ['signs of life', ':\n\n: here\n\nretry: 1000\n\n', []],
  ['an event', 'id: a\nevent: change\ndata: {"x":1}\n\n', [{ id: 'a', name: 'change', data: '{"x":1}' }]],
  ['one without a name', 'data: x\n\n', [{ id: undefined, name: 'message', data: 'x' }]],
  ['other ends of lines', 'id:a\r\ndata:x\r\n\r\n', [{ id: 'a', name: 'message', data: 'x' }]],
  ['data of several lines', 'data: x\ndata: y\n\n', [{ id: undefined, name: 'message', data: 'x\ny' }]],
  ['letters of several bytes', 'data: naïve →\n\n', [{ id: undefined, name: 'message', data: 'naïve →' }]],
  ['colons in it', 'data: a: b\n\n', [{ id: undefined, name: 'message', data: 'a: b' }]],
  ['an event that is cut off', 'data: x\n\ndata: y\n', [{ id: undefined, name: 'message', data: 'x' }]],
];

for (const [what, text, found] of streams) {
  test(`a stream with ${what} is read whole, in pieces of any size`, async (t) => {
    for (const size of [1, 2, 3, 7, 1000]) t.deepEqual(await events(text, size), found, `${size}`);
  });
}

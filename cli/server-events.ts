/** One event of a stream, as browsers read it too. */
export interface ServerEvent {
  /** From where to go on after it. */
  id: string | undefined;
  name: string;
  data: string;
}

/** The events in what a server streams; comments are its signs of life, and what is cut off in the middle is none. */
export async function* serverEvents(body: AsyncIterable<Buffer>): AsyncGenerator<ServerEvent, void, undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const texts = (rest + decoder.decode(chunk, { stream: true })).split(/\r?\n\r?\n/);
    rest = texts.pop() ?? '';
    for (const text of texts) {
      const event = eventOf(text);
      if (event.data !== '') yield event;
    }
  }
}

function eventOf(text: string): ServerEvent {
  const fields = text.split(/\r?\n/).map((line) => /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? []);
  const valuesOf = (name: string) => fields.flatMap(([, field, value = '']) => (field === name ? value : []));
  return {
    id: valuesOf('id').at(-1),
    name: valuesOf('event').at(-1) ?? 'message',
    data: valuesOf('data').join('\n'),
  };
}

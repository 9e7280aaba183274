/** What was sent instead, in words that follow "sent". */
export class NoArray extends Error {
  override name = 'NoArray';
}

const [OPEN, CLOSE, BRACE, END_BRACE, QUOTE, BACKSLASH, COMMA] = [...'[]{}"\\,'].map((char) => char.charCodeAt(0));
const BLANKS: ReadonlySet<number | undefined> = new Set([0x20, 0x09, 0x0a, 0x0d]);

/**
 * The elements of a JSON array, each as its text, as they come: what is no array is refused at its first letter, and
 * never more than one element of at most so many bytes is held.
 */
export async function* jsonElements(chunks: AsyncIterable<Uint8Array>, most: number): AsyncGenerator<string> {
  const scan = new Scan(most);
  for await (const chunk of chunks) yield* scan.take(chunk);
  if (!scan.isWhole) throw new NoArray('a list that ended early');
}

class Scan {
  isWhole = false;
  #depth = 0;
  #inString = false;
  #escaped = false;
  #isFirst = true;
  #held: Uint8Array[] = [];
  #size = 0;

  constructor(private readonly most: number) {}

  *take(chunk: Uint8Array): Generator<string> {
    let from = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === BACKSLASH) this.#escaped = true;
        else if (byte === QUOTE) this.#inString = false;
      } else if (this.#depth === 0) {
        this.#outside(byte);
        from = at + 1;
      } else if (byte === QUOTE) {
        this.#inString = true;
      } else if (byte === OPEN || byte === BRACE) {
        this.#depth += 1;
      } else if (this.#depth > 1) {
        if (byte === CLOSE || byte === END_BRACE) this.#depth -= 1;
      } else if (byte === COMMA || byte === CLOSE) {
        this.#hold(chunk.subarray(from, at));
        from = at + 1;
        if (byte === CLOSE) this.#depth = 0;
        this.isWhole = byte === CLOSE;
        yield* this.#element();
      }
    }
    if (this.#depth > 0) this.#hold(Buffer.from(chunk.subarray(from)));
  }

  #outside(byte: number | undefined): void {
    if (byte === OPEN && !this.isWhole) this.#depth = 1;
    else if (this.isWhole && !BLANKS.has(byte)) throw new NoArray('a list with more behind it');
    else if (!BLANKS.has(byte)) throw new NoArray(byte === BRACE || byte === QUOTE ? 'no list of objects' : 'no JSON');
  }

  #hold(part: Uint8Array): void {
    this.#size += part.length;
    if (this.#size > this.most) throw new NoArray(`a list with an entry of more than ${this.most} bytes`);
    this.#held.push(part);
  }

  /** An array of nothing has no element; a comma too many makes one that is no JSON. */
  *#element(): Generator<string> {
    const text = Buffer.concat(this.#held).toString();
    const isNone = this.#isFirst && this.isWhole && text.trim() === '';
    this.#held = [];
    this.#size = 0;
    this.#isFirst = false;
    if (!isNone) yield text;
  }
}

export interface Element {
  name: string;
  attributes: Readonly<Record<string, string>>;
  children: Element[];
  /** What stands directly in it. */
  text: string;
}

const DEEPEST = 64;
const MOST = 100_000;

const TOKEN =
  /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!\[CDATA\[(?<raw>[\s\S]*?)\]\]>|<\/(?<end>[^\s<>/]+)\s*>|<(?<start>[^\s<>/!?]+)(?<attributes>(?:\s+[^\s=<>/]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(?<empty>\/?)>|(?<text>[^<]+)/y;

const ATTRIBUTE = /([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

/** What libvirt writes: elements, attributes and text. Whatever else XML can be, and whatever is not well-formed, is refused. */
export function parseXml(xml: string): Element {
  const root: Element = { name: '', attributes: {}, children: [], text: '' };
  const open = [root];
  TOKEN.lastIndex = 0;
  let count = 0;
  for (let at = 0; at < xml.length; at = TOKEN.lastIndex) {
    count += 1;
    if (count > MOST) throw new SyntaxError(`it has more than ${MOST} parts`);
    TOKEN.lastIndex = at;
    const groups = TOKEN.exec(xml)?.groups;
    const inner = open.at(-1);
    if (!groups || !inner) throw new SyntaxError(`no XML that is known here at character ${at}`);
    const { raw, end, start, attributes = '', empty, text } = groups;
    if (raw !== undefined) inner.text += raw;
    else if (text !== undefined) inner.text += unescaped(text);
    else if (end !== undefined) {
      if (open.length === 1 || inner.name !== end) throw new SyntaxError(`</${end}> at character ${at} ends nothing`);
      open.pop();
    } else if (start !== undefined) {
      const element: Element = { name: start, attributes: attributesOf(attributes), children: [], text: '' };
      inner.children.push(element);
      if (empty === '') open.push(element);
      if (open.length > DEEPEST) throw new SyntaxError(`elements are in one another more than ${DEEPEST} times`);
    }
  }
  const [only] = root.children;
  if (open.length !== 1 || !only || root.children.length !== 1) throw new SyntaxError('not one whole element');
  return only;
}

const attributesOf = (text: string) =>
  Object.fromEntries([...text.matchAll(ATTRIBUTE)].map(([, name = '', a, b]) => [name, unescaped(a ?? b ?? '')]));

const entities = new Map(Object.entries({ lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }));

function unescaped(text: string): string {
  return text.replace(/&(#x[0-9a-f]{1,6}|#[0-9]{1,7}|[a-z]+);/gi, (whole, name: string) => {
    if (!name.startsWith('#')) return entities.get(name) ?? whole;
    const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number.parseInt(name.slice(1), 10);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

/** Every element at that path below one. */
export function allAt(element: Element, ...[name, ...rest]: string[]): Element[] {
  if (name === undefined) return [element];
  return element.children.filter((child) => child.name === name).flatMap((child) => allAt(child, ...rest));
}

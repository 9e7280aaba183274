import { fileURLToPath } from 'node:url';
import test from 'ava';
import { type ConsoleFile, openConsole } from '../../server/console-files.js';

const KB = 1000;
/** Of all that is fetched until the images are seen, as it is sent. */
const FIRST_PAGE = 100 * KB;
/** Of what a page brings of its own, with all that it shares with others. */
const PAGE = 60 * KB;

const files = await openConsole(fileURLToPath(new URL('../../console', import.meta.url)));
if (!files) throw new Error('the console was not built beside these tests');
const { assets } = files;
const page = files.page('');

const isScript = (name: string) => name.endsWith('.js');
const named = (pattern: RegExp, text: string) => [...text.matchAll(pattern)].map(([, name]) => name!);
const contentOf = (name: string) => {
  const file = assets.get(name);
  if (!file) throw new Error(`there is no file ${name}`);
  return file;
};

/** A script with all that it imports before it runs. */
function withImports(name: string, found = new Set<string>()): Set<string> {
  if (found.has(name)) return found;
  found.add(name);
  const text = contentOf(name).plain.toString();
  for (const next of named(/(?:from|import)"\.\/([\w.-]+\.js)"/g, text)) withImports(next, found);
  return found;
}

const main = named(/\/console\/assets\/([\w.-]+\.js)/g, page)[0]!;
const atStart = withImports(main);
const laterPages = [...new Set(named(/import\("\.\/([\w.-]+\.js)"\)/g, contentOf(main).plain.toString()))];
const imagesPage = laterPages.find((name) => name.startsWith('images-'))!;

const sent = ({ br, plain }: ConsoleFile) => br?.length ?? plain.length;
const sum = (names: Iterable<string>) => [...names].reduce((all, name) => all + sent(contentOf(name)), 0);

test('the first page is small', (t) => {
  const others = named(/\/console\/assets\/([\w.-]+\.(?:css|svg))/g, page);
  t.is(others.length, 2);
  const fetched = new Set([...atStart, ...withImports(imagesPage), ...others]);
  const size = Buffer.byteLength(page) + sum(fetched);
  t.log(`${fetched.size + 1} files, ${size} bytes as they are sent`);
  t.true(
    size < FIRST_PAGE,
    `${size} bytes: ${[...fetched].map((name) => `${name} ${sent(contentOf(name))}`).join(', ')}`,
  );
});

test('each page brings little of its own', (t) => {
  t.true(laterPages.length > 20, 'pages are fetched when they are looked at');
  const sizes = laterPages.map((name) => {
    const own = [...withImports(name)].filter((one) => !atStart.has(one));
    return { name, size: sum(own) };
  });
  const [largest] = sizes.toSorted((a, b) => b.size - a.size);
  t.log(`${sizes.length} pages, the largest ${largest!.name} with ${largest!.size} bytes`);
  for (const { name, size } of sizes) t.true(size < PAGE, `${name} needs ${size} bytes`);
});

test('charts are drawn by a library that only the overview fetches', (t) => {
  const drawing = [...assets.keys()].filter((name) => isScript(name) && contentOf(name).plain.includes('u-cursor-pt'));
  t.true(drawing.length > 0);
  const overview = laterPages.find((name) => name.startsWith('overview-'))!;
  const others = [main, ...laterPages.filter((name) => name !== overview)].flatMap((name) => [...withImports(name)]);
  for (const name of drawing) {
    t.true(withImports(overview).has(name));
    t.false(others.includes(name));
  }
});

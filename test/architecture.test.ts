import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const rooms = ['imgapi', 'storage', 'server', 'cli', 'console'];

/** file → the files of ours and the packages that it imports, types included. */
const imports = new Map(
  rooms
    .flatMap((room) => (readdirSync(root, { withFileTypes: true }).some(({ name }) => name === room) ? [room] : []))
    .flatMap((room) => readdirSync(join(root, room), { recursive: true, encoding: 'utf8' }).map((f) => join(room, f)))
    .filter((file) => /\.tsx?$/.test(file))
    .map((file) => [file, importsOf(file)] as const),
);

function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  const found = text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^'\s]+)'/g);
  return [...found].map(([, name = '']) =>
    name.startsWith('.') ? sourceOf(normalize(join(dirname(file), name))) : name,
  );
}

function sourceOf(name: string): string {
  const tsx = name.replace(/\.js$/, '.tsx');
  return existsSync(join(root, tsx)) ? tsx : name.replace(/\.js$/, '.ts');
}

interface Wall {
  of: RegExp;
  /** Besides packages: what files of these may import from us. */
  may: RegExp;
  except?: RegExp;
}

const contracts = 'storage/[^/]+\\.ts';
const walls: Wall[] = [
  { of: /^imgapi\//, may: /^imgapi\/(?!(client|exchange)\.ts)/, except: /^imgapi\/client\.ts$/ },
  { of: /^imgapi\/client\.ts$/, may: /^imgapi\// },
  { of: /^storage\/[^/]+\.ts$/, may: /^(storage\/[^/]+\.ts|imgapi\/)/, except: /^storage\/open\.ts$/ },
  { of: /^storage\/catalog\//, may: /^(storage\/[^/]+\.ts|storage\/catalog\/|imgapi\/)/ },
  { of: /^storage\/blobs\//, may: /^(storage\/[^/]+\.ts|storage\/blobs\/|imgapi\/)/ },
  { of: /^storage\/sources\//, may: /^(storage\/[^/]+\.ts|storage\/sources\/|imgapi\/)/ },
  { of: /^storage\/open\.ts$/, may: /^(storage|imgapi)\// },
  { of: /^server\/model\//, may: /^(server\/model|imgapi)\// },
  {
    of: /^server\/operations\//,
    may: new RegExp(
      `^(server/(operations|model)/|server/deps\\.ts|server/hypervisors/(host|hypervisor|hypervisors)\\.ts|imgapi/|${contracts})`,
    ),
  },
  { of: /^server\/hypervisors\//, may: new RegExp(`^(server/(hypervisors|model)/|imgapi/|${contracts})`) },
  {
    of: /^server\/routes\/imgapi\//,
    may: /^(server\/(operations|model)\/|server\/(deps|context|send-file|send-elements)\.ts|server\/routes\/(?!table)[^/]+\.ts|imgapi\/)/,
  },
  {
    of: /^server\/routes\/api\//,
    may: /^(server\/(operations|model)\/|server\/(deps|context)\.ts|server\/routes\/(api\/|(?!table)[^/]+\.ts)|imgapi\/)/,
  },
  {
    of: /^server\/middleware\//,
    may: new RegExp(`^(server/(model|auth)/|server/(deps|context)\\.ts|imgapi/|${contracts})`),
  },
  {
    of: /^server\/tasks\//,
    may: new RegExp(`^(server/(tasks|operations|model)/|server/deps\\.ts|imgapi/|${contracts})`),
  },
  { of: /^server\/config\//, may: /^(server\/(config|model|auth|tls|sealing)\/|imgapi\/)/ },
  { of: /^server\/auth\//, may: new RegExp(`^(server/(model|auth)/|imgapi/|${contracts})`) },
  { of: /^server\//, may: new RegExp(`^(server/|imgapi/|${contracts})`) },
  { of: /^cli\//, may: /^(cli|imgapi)\// },
  // It speaks to the server as everybody does: what they say to each other is described, and its types are made of that.
  { of: /^console\/parts\//, may: /^console\/(?!(pages|app|main|navigation|sign-in)\b)/ },
  { of: /^console\/api\//, may: /^console\/(api\/|base\.ts)/ },
  { of: /^console\//, may: /^console\// },
];

for (const { of, may, except } of walls) {
  test(`${of.source} imports only ${may.source}`, (t) => {
    const broken: string[] = [];
    for (const [file, names] of imports) {
      if (!of.test(file) || except?.test(file)) continue;
      for (const name of names) if (imports.has(name) && !may.test(name)) broken.push(`${file} → ${name}`);
    }
    t.deepEqual(broken, []);
  });
}

/** Packages that only these files may import: everything about them stays in one place. */
const keepers: [string, RegExp][] = [
  ['koa', /^server\/(app|context)\.ts$/],
  ['@koa/router', /^server\/app\.ts$/],
  ['ssh2', /^server\/hypervisors\/ssh\.ts$/],
  ['level', /^storage\/catalog\//],
  ['pg', /^storage\/catalog\//],
  ['@aws-sdk/client-s3', /^storage\/blobs\//],
  ['@aws-sdk/s3-request-presigner', /^storage\/blobs\//],
  ['node-fetch', /^imgapi\/exchange\.ts$/],
  ['sshpk', /^(server\/auth|server\/tls|cli)\b/],
  ['prom-client', /^server\/metrics\b/],
  ['commander', /^cli\//],
  ['openid-client', /^server\/openid\/issuer\.ts$/],
  ['koffi', /^server\/kernel\.ts$/],
  ['zod', /^server\/routes\/(api\/|route\.ts)/],
  ['node:fs', /^(storage|server|cli)\//],
  ['node:fs/promises', /^(storage|server|cli)\//],
  ['node:net', /^(server|cli|storage\/(catalog|blobs))\//],
  ['preact', /^console\//],
  ['preact/hooks', /^console\//],
  ['uplot', /^console\//],
];

for (const [name, allowed] of keepers) {
  test(`only ${allowed.source} imports ${name}`, (t) => {
    const others = [...imports].filter(([file, names]) => names.includes(name) && !allowed.test(file));
    t.deepEqual(
      others.map(([file]) => file),
      [],
    );
  });
}

test('what a browser fetches is of ours, and of few packages', (t) => {
  const strange = [...imports]
    .filter(([file]) => file.startsWith('console'))
    .flatMap(([file, names]) => names.map((name) => `${file} → ${name}`))
    .filter((line) => !/ → (console\/|preact$|preact\/hooks$|uplot$)/.test(line));
  t.deepEqual(strange, []);
});

test('what the API says is known to the console as types only', (t) => {
  const used = [...imports]
    .filter(([file]) => file.startsWith('console'))
    .filter(([file]) => /^(?:im|ex)port (?!type)[^;]*\/types\.js'/m.test(readFileSync(join(root, file), 'utf8')));
  t.deepEqual(
    used.map(([file]) => file),
    [],
  );
});

test('nothing that is shipped imports what proves or measures it', (t) => {
  const entering = [...imports].filter(([, names]) =>
    names.some((name) => /^(test\/|bench\/|playwright-core$|axe-core$)/.test(name)),
  );
  t.deepEqual(
    entering.map(([file]) => file),
    [],
  );
});

test('only the two main.ts read the environment', (t) => {
  const readers = [...imports.keys()].filter((file) => /process\.env/.test(readFileSync(join(root, file), 'utf8')));
  t.deepEqual(readers.sort(), ['cli/main.ts', 'server/main.ts']);
});

/** The table of pages names what is fetched when it is first looked at. */
const isLater = (file: string, name: string) =>
  file === join('console', 'pages.tsx') && name.startsWith('console/pages/');

test('imports have no cycle, not even of types', (t) => {
  const done = new Set<string>();
  const path: string[] = [];
  const cycles: string[] = [];
  const visit = (file: string): void => {
    if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' → '));
    if (done.has(file) || path.includes(file)) return;
    path.push(file);
    for (const name of imports.get(file) ?? []) if (imports.has(name) && !isLater(file, name)) visit(name);
    path.pop();
    done.add(file);
  };
  for (const file of imports.keys()) visit(file);
  t.deepEqual(cycles, []);
  t.true(imports.size > 50, 'the files were found');
});

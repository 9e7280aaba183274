// Builds the console: hashed files that a browser keeps for good, packed once and for all, and the page that names them.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const from = join(root, 'console');
const to = process.argv[2] ?? join(root, 'dist', 'console');

// Beside them lies what tests of its logic were built of.
rmSync(join(to, 'assets'), { recursive: true, force: true });
const { metafile, outputFiles } = await build({
  entryPoints: [join(from, 'main.tsx'), join(from, 'icon.svg')],
  outdir: join(to, 'assets'),
  tsconfig: join(from, 'tsconfig.json'),
  entryNames: '[name]-[hash]',
  chunkNames: '[name]-[hash]',
  assetNames: '[name]-[hash]',
  loader: { '.svg': 'copy' },
  format: 'esm',
  target: 'es2022',
  bundle: true,
  splitting: true,
  minify: true,
  metafile: true,
  write: false,
  absWorkingDir: root,
  logLevel: 'warning',
});

// Whatever page asks for a style has it: one file of all of them, as a page that is fetched later brings none with it.
const first = ['tokens.css', 'base.css', 'parts.css'];
const others = readdirSync(join(from, 'style')).filter((name) => name.endsWith('.css') && !first.includes(name));
const { outputFiles: styleFiles } = await build({
  stdin: {
    contents: [...first, ...others.sort()].map((name) => `@import "./${name}";`).join('\n'),
    resolveDir: join(from, 'style'),
    sourcefile: 'style.css',
    loader: 'css',
  },
  outdir: join(to, 'assets'),
  entryNames: 'style-[hash]',
  bundle: true,
  minify: true,
  write: false,
  logLevel: 'warning',
});

mkdirSync(join(to, 'assets'), { recursive: true });
const files = [...outputFiles.filter(({ path }) => !path.endsWith('.css')), ...styleFiles];
for (const { path, contents } of files) {
  writeFileSync(path, contents);
  writeFileSync(`${path}.br`, brotliCompressSync(contents));
  writeFileSync(`${path}.gz`, gzipSync(contents, { level: 9 }));
}

const outputs = Object.entries(metafile.outputs);
const [script] = outputs.find(([, { entryPoint }]) => entryPoint === 'console/main.tsx');
const [icon] = outputs.find(([, { inputs }]) => 'console/icon.svg' in inputs);
const names = { script: basename(script), style: basename(styleFiles[0].path), icon: basename(icon) };
// The prefix is known only to the server that sends the page.
const page = readFileSync(join(from, 'index.html'), 'utf8').replaceAll(
  /\{\{(script|style|icon)\}\}/g,
  (_, name) => names[name],
);
writeFileSync(join(to, 'index.html'), page);

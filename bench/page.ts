import type { Part } from './part.js';

const INTRODUCTION = `# Performance

What \`npm run bench\` measured: each figure beside its peer, both doing the same work, in alternating pairs in one run.
*Ours*, *peer* and *ratio* are medians; the ratio is that of the pairs. Every part can be measured alone,
\`npm run bench -- PART …\`, and says where and when it was. Clients and servers share the cores of one machine and speak
over loopback, so whatever a client costs is part of what both sides can reach. Processor time is what the kernel counts
for the server's processes.`;

const marked = (name: string) => `<!-- ${name} -->`;

/** The page with some sections new, the others as they were, in the order of the parts. */
export function pageWith(page: string, sections: ReadonlyMap<string, string>, parts: readonly Part[]): string {
  const all = new Map([...sectionsIn(page, parts), ...sections]);
  const found = parts.flatMap(({ name }) => (all.has(name) ? [`${marked(name)}\n${all.get(name)}`] : []));
  return `${[INTRODUCTION, ...found].join('\n\n')}\n`;
}

function sectionsIn(page: string, parts: readonly Part[]): Map<string, string> {
  const starts = parts
    .map(({ name }) => ({ name, at: page.indexOf(marked(name)) }))
    .filter(({ at }) => at >= 0)
    .sort((a, b) => a.at - b.at);
  return new Map(
    starts.map(({ name, at }, n) => [name, page.slice(at + marked(name).length, starts[n + 1]?.at).trim()]),
  );
}

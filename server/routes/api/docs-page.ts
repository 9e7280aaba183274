import { z } from 'zod';
import type { Route } from '../route.js';
import { type Endpoint, noBody, noQuery, streamed } from './endpoint.js';
import { openApi } from './openapi.js';

/** The document of the management API for people: one page that needs nothing else. */
export const docsPageEndpoint = (routes: () => readonly Route[]): Endpoint =>
  streamed({
    name: 'GetApiDocs',
    summary: 'this document as a page to browse',
    query: noQuery,
    body: noBody,
    status: 200,
    media: 'text/html',
    refusals: [],
    send: async (ctx) => {
      ctx.status = 200;
      ctx.set('Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'");
      ctx.type = 'html';
      ctx.body = docsPage(routes());
    },
  });

/** What of the document is shown. */
const operation = z.object({
  operationId: z.string(),
  tags: z.array(z.string()),
  summary: z.string(),
  parameters: z
    .array(z.object({ name: z.string(), in: z.string(), required: z.boolean(), schema: z.looseObject({}) }))
    .default([]),
  requestBody: z.object({ content: z.record(z.string(), z.object({ schema: z.looseObject({}) })) }).optional(),
  responses: z.record(z.string(), z.looseObject({ description: z.string() })),
});

function docsPage(routes: readonly Route[]): string {
  const { info, paths } = openApi(routes);
  const all = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, one]) => ({ method: method.toUpperCase(), path, ...operation.parse(one) })),
  );
  const managed = all.filter(({ tags }) => tags.includes('management'));
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${escaped(info.title)}: management API</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
  summary { cursor: pointer; } summary code { font-weight: bold; }
  table { border-collapse: collapse; } td { border-top: 1px solid #ddd; padding: .25rem 1rem .25rem 0; vertical-align: top; }
  pre { background: #f6f6f6; padding: .5rem; overflow: auto; } details { margin: .5rem 0; }
</style>
<h1>${escaped(info.title)}: management API</h1>
<p>${escaped(info.description)} The same for programs: <a href="/api/openapi.json">openapi.json</a>.</p>
${managed.map(section).join('\n')}
</html>
`;
}

type Shown = z.output<typeof operation> & { method: string; path: string };

function section({ method, path, operationId, summary, parameters, requestBody, responses }: Shown): string {
  const asked = parameters.map(({ name, in: where, required, schema }) =>
    row([name, where, required ? 'required' : 'optional', String(schema.description ?? '')]),
  );
  const body = Object.values(requestBody?.content ?? {}).map(({ schema }) => `<h4>Body</h4>${json(schema)}`);
  const answers = Object.entries(responses).map(([status, response]) => {
    const { description, content } = response as { description: string; content?: unknown };
    const isDone = Number(status) < 300;
    return `${row([status, description])}${isDone && content ? `<tr><td></td><td>${json(content)}</td></tr>` : ''}`;
  });
  return `<details id="${escaped(operationId)}">
<summary><code>${method} ${escaped(path)}</code> ${escaped(summary)}</summary>
${asked.length > 0 ? `<h4>Parameters</h4><table>${asked.join('')}</table>` : ''}${body.join('')}
<h4>Answers</h4><table>${answers.join('')}</table>
</details>`;
}

const row = (cells: readonly string[]) => `<tr>${cells.map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`;

const json = (value: unknown) => `<pre>${escaped(JSON.stringify(value, null, 2))}</pre>`;

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

// Writes console/api/types.ts: what the document of the management API says, as types. Only what such documents use.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { paths } = JSON.parse(readFileSync(join(root, 'docs', 'openapi.json'), 'utf8'));

const byType = {
  string: () => 'string',
  number: () => 'number',
  integer: () => 'number',
  boolean: () => 'boolean',
  null: () => 'null',
  array: ({ items = {} }, indent) => `(${typeOf(items, indent)})[]`,
  object: objectOf,
};

const results = [];
const bodies = [];
for (const [path, methods] of Object.entries(paths)) {
  if (!path.startsWith('/api/')) continue;
  for (const { operationId, responses, requestBody } of Object.values(methods)) {
    const answer = (responses['200'] ?? responses['201'])?.content?.['application/json']?.schema;
    const result = answer?.properties?.result ?? answer;
    if (result) results.push(`  ${operationId}: ${typeOf(result, '  ')};`);
    const body = requestBody?.content?.['application/json']?.schema;
    if (body) bodies.push(`  ${operationId}: ${typeOf(body, '  ')};`);
  }
}
writeFileSync(
  join(root, 'console', 'api', 'types.ts'),
  `// Made from docs/openapi.json by etc/console-types.mjs.

/** What a call answers, by the name of its operation. */
export interface Results {
${results.join('\n')}
}

/** What a call takes. */
export interface Bodies {
${bodies.join('\n')}
}
`,
);

function typeOf(schema, indent) {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const any = schema.anyOf ?? schema.oneOf;
  if (any) return [...new Set(any.map((one) => typeOf(one, indent)))].join(' | ');
  if (Array.isArray(schema.type)) return schema.type.map((type) => typeOf({ ...schema, type }, indent)).join(' | ');
  return (byType[schema.type] ?? (() => 'unknown'))(schema, indent);
}

function objectOf({ properties, required = [], additionalProperties }, indent) {
  if (!properties) {
    const values = typeof additionalProperties === 'object' ? typeOf(additionalProperties, indent) : 'unknown';
    return `Record<string, ${values}>`;
  }
  const inner = `${indent}  `;
  const lines = Object.entries(properties).map(([name, schema]) => {
    const key = /^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name);
    const says = schema.description ? `${inner}/** ${schema.description.replaceAll('*/', '')} */\n` : '';
    return `${says}${inner}${key}${required.includes(name) ? '' : '?'}: ${typeOf(schema, inner)};`;
  });
  return lines.length === 0 ? 'Record<string, never>' : `{\n${lines.join('\n')}\n${indent}}`;
}

import { sendJson } from '../reply.js';
import type { Description, Route } from '../route.js';
import { noBody } from './endpoint.js';
import { jsonSchema } from './openapi.js';

/** OPTIONS of a path: what can be asked there, as command lines show it. */
export function helpRoutes(routes: readonly Route[]): Route[] {
  const described = routes.filter(({ description }) => description);
  const paths = new Set(described.map(({ path }) => path));
  return [...paths].map((path) =>
    helpRoute(
      path,
      described.filter((route) => route.path === path),
    ),
  );
}

function helpRoute(path: string, there: readonly Route[]): Route {
  const methods = there.map(({ method }) => method);
  const help = { name: path, description: there.map(described).join('\n\n'), methods };
  return {
    method: 'OPTIONS',
    path,
    name: 'GetHelp',
    auth: 'credentials',
    body: false,
    need: 'read',
    when: there[0]?.when,
    handler: (ctx, { policy }) => {
      for (const { description } of there) ctx.set(description?.announces?.(policy) ?? {});
      ctx.set('Allow', [...methods, 'OPTIONS'].join(', '));
      sendJson(ctx, help);
    },
  };
}

function described({ method, path, description }: Route): string {
  const parameters = description ? parametersOf(description) : [];
  const width = Math.max(0, ...parameters.map(([name]) => name.length));
  const lines = parameters.map(([name, meaning]) => `  ${name.padEnd(width)}  ${meaning}`.trimEnd());
  return [`${method} ${path}: ${description?.summary}`, ...lines].join('\n');
}

const parametersOf = ({ query, body }: Description) =>
  [query, ...(body === noBody ? [] : [body])].flatMap((schema) => {
    const { properties = {} } = jsonSchema(schema);
    return Object.entries(properties).map(([name, property]): [string, string] => [name, meaningOf(property)]);
  });

const meaningOf = (property: unknown): string => String(Object(property).description ?? '');

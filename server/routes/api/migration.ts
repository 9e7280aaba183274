import { z } from 'zod';
import type { Deps } from '../../deps.js';
import { actorOf } from '../../model/audit.js';
import type { Caller } from '../../model/caller.js';
import type { MigrationStatus } from '../../operations/migration.js';
import { endpoint, noBody, noQuery } from './endpoint.js';

const operation = 'move the server';

const shown = z.strictObject({
  status: z
    .enum(['none', 'interrupted', 'copying', 'finishing', 'moved', 'failed', 'aborted'])
    .describe('finishing: nothing is written any more; moved: the server stops'),
  config: z.string().nullable().describe('the configuration of where it goes'),
  started: z.iso.datetime().nullable(),
  contents: z.number().describe('so many are there, each read back and compared'),
  contents_total: z.number(),
  bytes: z.number(),
  bytes_total: z.number(),
  unreadable: z.array(z.string()).describe('contents that were lost here already, by their sha256'),
  records: z.number().nullable(),
  error: z.string().nullable(),
}) satisfies z.ZodType<MigrationStatus>;

export const show = endpoint({
  name: 'GetMigration',
  summary: 'how far the move of the server to other stores has come',
  operation,
  query: noQuery,
  body: noBody,
  status: 200,
  answer: shown,
  refusals: [],
  perform: async (_, { migration }) => migration.status(),
});

export const start = endpoint({
  name: 'StartMigration',
  summary:
    'move the server to the stores of another configuration: it serves while bytes are copied, then writes nothing any more, and stops',
  operation,
  query: noQuery,
  body: z.strictObject({
    config: z.string().min(1).max(4096).describe('the whole path of a configuration file on the machine of the server'),
  }),
  status: 200,
  answer: shown,
  refusals: ['InvalidInput', 'ServiceUnavailableError'],
  perform: async ({ caller, body: { config } }, deps) => {
    await deps.migration.start(config);
    note(deps, caller, `StartMigration to ${config}`);
    return deps.migration.status();
  },
});

export const abort = endpoint({
  name: 'AbortMigration',
  summary: 'end a move that has not reached its last step: what was copied is kept for the next time',
  operation,
  query: noQuery,
  body: noBody,
  status: 200,
  answer: shown,
  refusals: ['Busy'],
  perform: async ({ caller }, deps) => {
    await deps.migration.abort();
    note(deps, caller, 'AbortMigration');
    return deps.migration.status();
  },
});

/** It changes no record of its own. */
function note({ audit }: Deps, caller: Caller, what: string): void {
  audit.note({ who: actorOf(caller), what, object: { kind: 'server', id: 'server' }, result: 'done' });
}

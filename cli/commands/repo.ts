import { isRecord } from '../../imgapi/checks.js';
import type { Io, Register } from '../command.js';
import { type Field, paging } from '../field.js';
import { Management } from '../management.js';
import { addListOptions, call, resource } from '../resource.js';
import { openSession } from '../session.js';
import { columnsOf, printRows, type Shown } from '../table.js';
import { visible } from '../visible.js';

/** Which of the connection's options are called as what. */
const fields: readonly Field[] = [
  ['enabled', '--enabled', 'it is asked', 'switch'],
  ['channel', '--channel <name>', "one of its channels; '' for none", 'text or none'],
  ['secret', '--secret <name>', "the stored secret that proves who asks; '' for none", 'text or none'],
  ['ca', '--repo-ca <file>', 'trust its certificate because of this one (PEM)', 'file'],
  ['insecure', '--repo-insecure', 'its certificate is not looked at', 'switch'],
  ['every', '--every <minutes>', 'refreshed so often; 0: on demand', 'number'],
  ['authoritative', '--authoritative', 'its uuids mean its images', 'switch'],
];

const url: Field = ['url', '--repo-url <url>', 'where it is'];

const filters: readonly Field[] = [
  ['os', '--os <os>', 'those with this operating system'],
  ['ostype', '--ostype <number>', 'those of this type, 1 to 6', 'number'],
  ['last', '--last <period>', 'published in the last 30d, month or year'],
  ['since', '--since <date>', 'published then or later'],
  ['until', '--until <date>', 'published then or earlier'],
];

const columns = 'name image_count last_update error url';

/** On a terminal people see that it goes on: another server may take its time. */
async function patiently<T>({ stderr }: Io, what: string, work: Promise<T>): Promise<T> {
  if (!stderr.isTTY) return work;
  const begun = performance.now();
  const tell = () => stderr.write(`\r${visible(what)}, ${Math.round((performance.now() - begun) / 1000)} s\x1b[K`);
  const timer = setInterval(tell, 1000);
  try {
    return await work;
  } finally {
    clearInterval(timer);
    stderr.write('\r\x1b[K');
  }
}

const refresh: Register = (group, context) => {
  addListOptions(
    group
      .command('refresh')
      .description('ask repositories for their lists again: one, or all')
      .argument('[repo]')
      .addHelpText('after', '\nExamples:\n  slipway repo refresh\n  slipway repo refresh mirror'),
  ).action(async (repo: string | undefined, options: Shown, command) => {
    const management = new Management(await openSession(command, context));
    const path = repo === undefined ? 'PUT /api/imagestore' : 'PUT /api/imagestore/:repo';
    const asked = call(management, path, repo === undefined ? {} : { repo });
    const { result } = await patiently(context.io, `refreshing ${repo ?? 'all repositories'}`, asked);
    return printRows(context.io, columnsOf(columns.split(' ')), [result].flat().filter(isRecord), options);
  });
};

export const register = resource({
  name: 'repo',
  description: 'the repositories that images are imported from',
  rows: [
    {
      name: 'list',
      description: 'list the repositories that are asked, and how their last refresh went',
      asks: 'GET /api/imagestore',
      always: { full: true },
      fields: paging,
      columns,
      examples: ['repo list', 'repo list --json'],
    },
    {
      name: 'list-all',
      description: 'list all repositories as they are set up, those that are off included',
      asks: 'GET /api/repository',
      always: { full: true },
      fields: paging,
      columns: 'name enabled url channel secret every authoritative error',
      examples: ['repo list-all'],
    },
    {
      name: 'show',
      description: 'show a repository',
      asks: 'GET /api/imagestore/:repo',
      examples: ['repo show mirror'],
    },
    {
      name: 'setup',
      description: 'show how a repository is set up',
      asks: 'GET /api/repository/:repo',
      examples: ['repo setup danubecloud'],
    },
    {
      name: 'add',
      description: 'add a repository: an image server to browse and to import from',
      asks: 'POST /api/repository/:repo',
      words: ['<repo>', '<url>'],
      fields,
      done: 'repository :repo is added; "slipway repo refresh :repo" asks for its list',
      examples: ['repo add mirror https://images.example.com', 'repo add mirror https://images.example.com --every 60'],
    },
    {
      name: 'set',
      description: 'change a repository; what came with the server is off until --enabled',
      asks: 'PUT /api/repository/:repo',
      fields: [url, ...fields],
      done: 'repository :repo is changed',
      examples: ['repo set danubecloud --enabled', "repo set mirror --every 0 --secret ''"],
    },
    {
      name: 'delete',
      description: 'remove a repository, with what is remembered of it; images that came from it stay',
      asks: 'DELETE /api/repository/:repo',
      confirms: 'repository :repo',
      done: 'repository :repo is removed',
      examples: ['repo delete mirror', 'repo delete mirror --yes'],
    },
    refresh,
    {
      name: 'browse',
      description: 'list the images of a repository as of its last refresh, the newest first',
      asks: 'GET /api/imagestore/:repo/image',
      always: { full: true },
      fields: [...filters, ...paging],
      columns: 'uuid name version os type created download_size registered',
      examples: ['repo browse mirror --limit 20', 'repo browse mirror --search debian --last year'],
    },
    {
      name: 'image',
      description: 'show an image of a repository',
      asks: 'GET /api/imagestore/:repo/image/:uuid',
      examples: ['repo image mirror 3a1d2e7c-0f8b-4a52-9d1e-6f2f4f3b8c11'],
    },
  ],
});

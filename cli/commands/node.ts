import type { Command } from 'commander';
import { isRecord } from '../../imgapi/checks.js';
import type { Register } from '../command.js';
import { CliError } from '../errors.js';
import { type Field, optionsOf, paging, valuesOf } from '../field.js';
import { kept } from '../kept.js';
import { Management } from '../management.js';
import { note, print, printJson } from '../output.js';
import { call, resource } from '../resource.js';
import { openSession } from '../session.js';
import { visible } from '../visible.js';
import { nodeImages } from './node-images.js';
import { sources } from './node-sources.js';

const fields: readonly Field[] = [
  ['dcs', '--dcs <dcs>', 'the data centers it serves, with commas between them', 'list'],
  ['addresses', '--addresses <networks>', 'where it asks from: addresses and networks, with commas', 'list'],
  ['certificate', '--certificate <fingerprint>', 'the SHA-256 fingerprint of its client certificate'],
  ['known_by_address', '--known-by-address', 'its address is enough to prove it', 'switch'],
  [
    'vm_rules',
    '--vm-rules <rules>',
    'where its machines stand by owner or tag, such as owner:ann=north,tag:web=south',
    'list',
  ],
  ['keep_sources', '--keep-sources', 'its list of image servers is kept to what is configured', 'switch'],
];

const ways: readonly Field[] = [
  ['address', '--address <host>', 'where it is reached by ssh; empty: not at all', 'text or none'],
  ['port', '--port <port>', 'of its sshd; 22 unless given', 'number'],
  ['user', '--ssh-user <name>', 'as whom it is asked; root unless given'],
  ['host_keys', '--host-keys <keys>', 'its host keys, with commas; the first that is met is kept unless given', 'list'],
  ['key', '--ssh-key <secret>', "a secret of type ssh-key instead of the server's own key; empty: not", 'text or none'],
  ['agent', '--agent', 'keys of the ssh-agent beside the server count as well', 'switch'],
  ['jump', '--jump <node>', 'through which node it is reached; empty: directly', 'text or none'],
  ['platform', '--platform <name>', 'what runs there; found out unless given, or where it is empty', 'text or none'],
  [
    'places',
    '--places <places>',
    'where its machines lie: datasets, directories or volume groups, with commas',
    'list',
  ],
];

function checkPassed(result: unknown): void {
  if (!isRecord(result) || result.failed === null) return;
  const first = [result.checks].flat().find(isRecord);
  throw new CliError(`${result.failed}: ${first?.found}`, { hint: String(first?.advice) });
}

function checkPreflight(result: unknown): void {
  if (!isRecord(result) || result.failed === null) return;
  const first = [result.checks].flat().find((check) => isRecord(check) && check.ok === false);
  throw new CliError(`${result.failed}: ${Object(first).detail}`);
}

const aliases: Record<string, string> = { create: 'add', update: 'set' };

/** A line to be copied, and nothing else. */
const showKey: Register = (group, context) => {
  group
    .command('key')
    .description('print what lets this server in: a line for authorized_keys of nodes')
    .option('--from <addresses>', 'good from there only, with commas: where the server comes from')
    .option('--jump', 'other nodes are reached through the node')
    .addHelpText(
      'after',
      '\nExamples:\n  slipway node key --from 10.0.0.1\n  slipway node key | ssh root@node1 "cat >> .ssh/authorized_keys"',
    )
    .action(async ({ from, jump }: { from?: string; jump?: true }, called: Command) => {
      const management = new Management(await openSession(called, context));
      const { result } = await call(management, 'GET /api/nodekey', { ...(from && { from }), ...(jump && { jump }) });
      if (!isRecord(result)) throw management.exchange.answeredBadly(200, 'sent no key');
      await print(context.io, `${visible(String(result.line))}\n`);
    });
};

const wishes: readonly Field[] = [
  ['expires', '--expires <when>', 'until when: a duration such as 90d, or a date; for ever unless given'],
  ['publish', '--publish <dc>', 'it may also bring images to this data center'],
  ['pinned', '--pinned', 'good from the addresses of the node only, as it is unless given', 'switch'],
];

/** The secret is in one answer only; what is printed to be copied is the URL that an unchanged imgadm takes. */
const createToken: Register = (group, context) => {
  const command = group
    .command('create')
    .description('make a token for a node: its URL is printed, and can not be had again')
    .argument('<node>')
    .argument('<token>', 'what to call it');
  for (const field of wishes) for (const option of optionsOf(field)) command.addOption(option);
  command
    .option('-j, --json', 'all that is known of it, as JSON')
    .addHelpText('after', '\nExamples:\n  slipway node token create node1 imgadm --expires 90d')
    .action(async (node: string, token: string, options: { json?: true }, called: Command) => {
      const session = await openSession(called, context);
      const management = new Management(session);
      const given = { node, token, ...(await valuesOf(wishes, { ...options }, context)) };
      const { result: made } = await call(management, 'POST /api/node/:node/token/:token', given);
      if (!isRecord(made)) throw management.exchange.answeredBadly(201, 'sent no token');
      if (options.json) return printJson(context.io, made);
      if (made.source === null)
        note(context.io, 'warning: publicUrl is not set on the server: does the node reach it so?');
      note(context.io, `token "${token}" is ${node}'s; keep it, it is not shown again: imgadm sources -a URL`);
      await print(context.io, `${visible(String(made.source ?? new URL(session.url).origin + made.path))}\n`);
    });
};

export const register = resource({
  name: 'node',
  description: 'the nodes that fetch images, and what proves them',
  rows: [
    showKey,
    ...kept({
      name: 'node',
      columns: 'name dcs online since platform version machines inventoried addresses',
      fields: [...fields, ...ways],
      making: '; "slipway node token create" gives it the URL of its images',
      deleting: ' with its tokens',
      example: ['node1', '--dcs north --addresses 10.0.0.0/24', '--dcs north,south'],
    }).map((row) => ({ ...row, ...(aliases[row.name] !== undefined && { alias: aliases[row.name] }) })),
    {
      name: 'check',
      description: 'look whether a node can be worked with; ends with 1 and says what to do where it can not',
      asks: 'GET /api/node/:node/check',
      columns: 'check ok found advice',
      lists: 'checks',
      check: checkPassed,
      examples: ['node check node1'],
    },
    {
      name: 'refresh',
      description: 'take the inventory of a node now: its machines, what they use, its images',
      asks: 'PUT /api/node/:node/inventory',
      examples: ['node refresh node1'],
    },
    {
      name: 'vms',
      description: 'list the machines on a node, or those that were there when it was heard of last',
      asks: 'GET /api/node/:node/vm',
      always: { full: true },
      fields: paging,
      columns: 'uuid hostname dc owner state source',
      examples: ['node vms node1', 'node vms node1 --json'],
    },
    {
      name: 'preflight',
      description: 'look whether a node can make machines of an image; ends with 1 where it can not',
      asks: 'GET /api/node/:node/preflight/:image',
      fields: [
        ['pool', '--pool <pool>', 'where the image is to lie; needed where the node has several'],
        ['dc', '--dc <dc>', 'where the image is meant, where several have its name'],
      ],
      columns: 'name ok detail',
      lists: 'checks',
      check: checkPreflight,
      examples: ['node preflight node1 base --pool zones'],
    },
    sources,
    {
      name: 'pools',
      description: 'list the pools of a node, with what is on them',
      asks: 'GET /api/node/:node/storage',
      always: { full: true },
      fields: paging,
      columns: 'name size free health images vms',
      examples: ['node pools node1'],
    },
    ...nodeImages,
    {
      name: 'token',
      description: 'the tokens of nodes, and the URLs they are part of',
      rows: [
        createToken,
        {
          name: 'list',
          description: 'list the tokens of a node',
          asks: 'GET /api/node/:node/token',
          always: { full: true },
          columns: 'name created expires last_used publish pinned',
          examples: ['node token list node1'],
        },
        {
          name: 'revoke',
          description: 'revoke a token of a node: its URL is good for nothing any more',
          asks: 'DELETE /api/node/:node/token/:token',
          done: 'token :token of :node is revoked',
          examples: ['node token revoke node1 imgadm'],
        },
      ],
    },
  ],
});

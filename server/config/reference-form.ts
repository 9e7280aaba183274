import { basename } from 'node:path';
import { ADMIN } from '../model/user.js';
import { isKey, type Settings } from './settings.js';
import type { Found, Source } from './source.js';

/** The port on which the reference serves metrics, in mode dc. */
const METRICS_PORT = 8881;

type Values = { [Key in keyof Settings]?: unknown };

interface Outcome {
  settings?: Values;
  warning?: string;
  problem?: string;
}

interface Row {
  /** For people: what becomes of it. */
  becomes: string;
  of(value: unknown, mode: unknown): Outcome;
}

const same = (key: keyof Settings): Row => ({ becomes: 'the same', of: (value) => ({ settings: { [key]: value } }) });

const into = (becomes: string, of: (value: unknown, mode: unknown) => Values): Row => ({
  becomes,
  of: (value, mode) => ({ settings: of(value, mode) }),
});

const unused = (reason: string): Row => ({ becomes: `not used: ${reason}`, of: () => ({ warning: reason }) });

const refusedIf = (isMeant: (value: unknown) => boolean, what: string, reason: string): Row => ({
  becomes: `${what} is refused: ${reason}`,
  of: (value) => (isMeant(value) ? { problem: `${what} can not be taken over: ${reason}` } : {}),
});

const fromMachines = unused('images are not made from virtual machines here');
const noFetching = unused('nothing is fetched from other servers here');
const noTriton = unused('nothing of a Triton data center is asked here');
const noName = unused('this server does not report where it runs');

/** Every key of a configuration of the reference server, and what becomes of it. */
export const referenceKeys: Record<string, Row> = {
  port: same('port'),
  address: same('address'),
  serverName: same('serverName'),
  mode: same('mode'),
  authType: same('authType'),
  authKeys: same('authKeys'),
  channels: same('channels'),
  logLevel: into('a number becomes the name of its level', (value) => ({ logLevel: levelOf(value) })),
  adminIp: into(`in mode dc: metricsAddress, with metricsPort ${METRICS_PORT}`, (value, mode) =>
    mode === 'dc' ? { metricsAddress: value, metricsPort: METRICS_PORT } : {},
  ),
  databaseType: refusedIf(
    (value) => value !== 'local',
    'any database but local, such as moray,',
    'its records are not in files; import the images from that server while it runs',
  ),
  storageTypes: refusedIf(
    (value) => [value].flat().some((kind) => kind !== 'local'),
    'any storage but local, such as manta,',
    'bring the files to local storage there first, with the action change-stor, and leave the others away',
  ),
  manta: unused('nothing is kept in Manta, and no keys are read from there'),
  adminUuid: unused(
    `images without an owner are imported for the administrator of this server, ${ADMIN.uuid}; those that have an owner keep it`,
  ),
  datacenterName: unused('there is one data center here, and its name is main'),
  serviceName: noName,
  instanceUuid: noName,
  serverUuid: noName,
  ufds: unused('users are not asked for in UFDS; --takeover makes those that own images'),
  moray: unused('records are kept in the directory that the setting data names'),
  wfapi: unused('jobs run in this server'),
  vmapi: noTriton,
  cnapi: noTriton,
  placeholderImageLifespanDays: fromMachines,
  allowLocalCreateImageFromVm: fromMachines,
  minImageCreationPlatform: fromMachines,
  maxSockets: noFetching,
  allowInsecure: noFetching,
  httpProxy: noFetching,
  dockerRegistryInsecure: unused(
    'certificates of registries are verified; insecureRegistries names those that speak plain HTTP',
  ),
  lxdRegistries: into('the setting lxdRegistries', (value) => ({ lxdRegistries: registriesOf(value) })),
  imgapiUrlFromDatacenter: into('the setting datacenters', (value) => ({ datacenters: value })),
  userCache: unused('users are in the catalog'),
  fluentd_host: unused('the log goes to standard error'),
  sapi_service: noTriton,
};

/** There, a registry may be a table with its URL. */
function registriesOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, row]) => [name, Object(row).url ?? row]));
}

/** What the reference takes where its file says nothing. */
export const referenceDefaults = (mode: unknown): Values => ({
  mode: 'public',
  port: 8080,
  address: '127.0.0.1',
  authType: mode === 'dc' ? 'none' : 'signature',
  hostNames: ['*'],
  logLevel: 'debug',
});

/** By its usual name, or by a key that only the reference has. */
export function isReferenceForm(path: string, values: Record<string, unknown>): boolean {
  const isTheirs = (key: string) => Object.hasOwn(referenceKeys, key) && !isKey(key);
  return basename(path) === 'imgapi.config.json' || Object.keys(values).some(isTheirs);
}

/** Settings of ours may stand in such a file too; what neither knows is ignored, as there. */
export function readReferenceForm(
  path: string,
  values: Record<string, unknown>,
  overridden: { mode?: unknown },
): Source {
  const mode = overridden.mode ?? values.mode ?? 'public';
  const found = new Map<string, Found>();
  const problems: string[] = [];
  const warnings = [`${path} is in the form of the reference server, whose defaults apply: the mode is ${mode}`];
  const take = (settings: Values, at: string) => {
    for (const [key, value] of Object.entries(settings)) found.set(key, { value, at });
  };
  take(referenceDefaults(mode), `the defaults of the reference server, for ${path}`);
  for (const [key, value] of Object.entries(values)) {
    const isSaid = value !== null && !key.startsWith('//');
    if (!isSaid) continue;
    const at = `${key} in ${path}`;
    const { settings = {}, warning, problem } = rowOf(key).of(value, mode);
    take(settings, at);
    if (warning) warnings.push(`${at} is not used: ${warning}`);
    if (problem) problems.push(`${at}: ${problem}`);
  }
  return { found, problems, warnings };
}

function rowOf(key: string): Row {
  if (Object.hasOwn(referenceKeys, key)) return referenceKeys[key] as Row;
  return isKey(key) ? same(key) : unused('no such key is known, there or here');
}

const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];

/** There, levels are numbers from 10 (trace) to 60 (fatal), or names in any case. */
function levelOf(value: unknown): unknown {
  if (typeof value === 'number') return levels[Math.max(0, Math.ceil(value / 10) - 1)] ?? 'silent';
  return typeof value === 'string' ? value.toLowerCase() : value;
}

import { meet } from '../model/networks.js';
import { findsItself } from '../model/public-url.js';
import { type Settings, settings as table } from './settings.js';

interface Check {
  /** What it looks at: it is not asked where one of these could not be read. */
  of: (keyof Settings)[];
  /** What is wrong, in a line each. */
  look(settings: Settings): string[];
}

const told = (isSo: unknown, line: string) => (isSo ? [line] : []);

const hasTls = ({ tlsPort, tlsCertificate, tlsSelfSigned }: Settings) =>
  tlsPort !== 'off' && (tlsCertificate !== undefined || tlsSelfSigned);

/** What no setting by itself can tell. */
const problems: Check[] = [
  {
    of: ['port', 'tlsPort', 'tlsCertificate', 'tlsSelfSigned'],
    look: (settings) =>
      told(
        settings.port === 'off' && !hasTls(settings),
        'nothing would listen: port is "off", and TLS needs a tlsPort and a tlsCertificate, or tlsSelfSigned',
      ),
  },
  {
    of: ['tlsCertificate', 'tlsKey'],
    look: ({ tlsCertificate, tlsKey }) => [
      ...told(tlsCertificate && !tlsKey, `tlsCertificate is "${tlsCertificate}", but there is no tlsKey`),
      ...told(tlsKey && !tlsCertificate, `tlsKey is "${tlsKey}", but there is no tlsCertificate`),
    ],
  },
  {
    of: ['tlsCertificate', 'tlsSelfSigned'],
    look: ({ tlsCertificate, tlsSelfSigned }) =>
      told(tlsCertificate && tlsSelfSigned, 'tlsSelfSigned and tlsCertificate exclude each other: leave one away'),
  },
  {
    of: ['trustedNetworks', 'trustedProxies'],
    look: ({ trustedNetworks, trustedProxies }) =>
      trustedNetworks.flatMap((network) =>
        trustedProxies
          .filter((proxy) => meet(network, proxy))
          .map(
            (proxy) =>
              `trustedNetworks: ${network} holds the trusted proxy ${proxy}, so everybody behind it would be trusted`,
          ),
      ),
  },
  {
    of: ['address', 'port', 'tlsPort', 'tlsCertificate', 'tlsSelfSigned', 'metricsAddress', 'metricsPort'],
    look: (settings) =>
      pairs(listeners(settings))
        .filter(([one, other]) => one.port === other.port && one.port !== 0 && overlap(one.address, other.address))
        .map(([one, other]) => `${one.key} and ${other.key} are both ${one.port}, on the same address`),
  },
  {
    of: ['database', 'store'],
    look: ({ database, store }) =>
      told(
        database !== undefined && store === undefined,
        'database: several daemons need one store for the bytes, too: set store to s3://BUCKET/PREFIX',
      ),
  },
  {
    of: ['database', 'secretsKey'],
    look: ({ database, secretsKey }) =>
      told(
        database !== undefined && secretsKey === undefined,
        'database: all daemons need the same secretsKey: make one with "slipwayd --new-secrets-key FILE", and give it to each',
      ),
  },
  {
    of: ['openidIssuer', 'openidClient'],
    look: ({ openidIssuer, openidClient }) =>
      told(
        openidIssuer !== undefined && openidClient === undefined,
        'openidIssuer: the issuer knows this server by a client id: set openidClient',
      ),
  },
  {
    of: ['openidIssuer', 'publicUrl'],
    look: ({ openidIssuer, publicUrl }) =>
      told(
        openidIssuer !== undefined && publicUrl === undefined,
        'openidIssuer: who has signed in there is sent back to publicUrl: set it',
      ),
  },
];

const OF_OPENID = [
  'openidClient',
  'openidSecret',
  'openidScopes',
  'openidName',
  'openidGroups',
  'openidGroupMap',
  'openidCreates',
  'openidBinds',
  'openidLabel',
] as const;

const OF_THE_STORE = [
  'storeEndpoint',
  'storeRegion',
  'storeClass',
  'storeEncryption',
  'storeCache',
  'storeCacheDirectory',
] as const;

/** What may not be meant. */
const warnings: Check[] = [
  {
    of: ['store', ...OF_THE_STORE],
    look: (settings) =>
      settings.store !== undefined
        ? []
        : OF_THE_STORE.filter((key) => settings[key] !== table[key].default).map(
            (key) => `${key} is set, but there is no store: files are kept in DATA`,
          ),
  },
  {
    of: ['openidIssuer', ...OF_OPENID],
    look: (settings) =>
      settings.openidIssuer !== undefined
        ? []
        : OF_OPENID.filter((key) => JSON.stringify(settings[key]) !== JSON.stringify(table[key].default)).map(
            (key) => `${key} is set, but there is no openidIssuer: nobody signs in by OpenID Connect`,
          ),
  },
  {
    of: ['openidIssuer', 'publicUrl'],
    look: ({ openidIssuer, publicUrl }) =>
      told(
        openidIssuer !== undefined && publicUrl?.startsWith('http:') && !findsItself(publicUrl),
        `publicUrl is ${publicUrl}: who signs in by OpenID Connect is sent back in plain, for everybody on the way to read`,
      ),
  },
  {
    of: ['memberName', 'database'],
    look: ({ memberName, database }) =>
      told(memberName !== undefined && database === undefined, 'memberName is set, but there is no database'),
  },
  {
    of: ['tlsPort', 'tlsCertificate', 'tlsSelfSigned'],
    look: (settings) =>
      told(
        settings.tlsPort !== table.tlsPort.default && settings.tlsPort !== 'off' && !hasTls(settings),
        `tlsPort is ${settings.tlsPort}, but there is no certificate: nothing listens there`,
      ),
  },
  {
    of: ['authType', 'trustedProxies'],
    look: ({ authType, trustedProxies }) =>
      told(
        authType === 'none' && trustedProxies.length > 0,
        'authType is none: whoever reaches the proxy in front may change everything',
      ),
  },
  {
    of: ['trustedNetworks', 'trustedProxies'],
    look: (settings) =>
      (['trustedNetworks', 'trustedProxies'] as const).flatMap((key) =>
        settings[key].filter((network) => network.endsWith('/0')).map((network) => `${key}: ${network} is everybody`),
      ),
  },
];

export interface Findings {
  problems: string[];
  warnings: string[];
}

/** What is wrong between the settings that could be read. */
export function checkSettings(settings: Settings, unread: ReadonlySet<string> = new Set()): Findings {
  const run = (checks: readonly Check[]) =>
    checks.filter(({ of }) => !of.some((key) => unread.has(key))).flatMap(({ look }) => look(settings));
  return { problems: run(problems), warnings: run(warnings) };
}

interface Listener {
  key: keyof Settings;
  address: string;
  port: number | 'off';
}

function listeners(settings: Settings): Listener[] {
  const { address, port, tlsPort, metricsAddress, metricsPort } = settings;
  const all: Listener[] = [
    { key: 'port', address, port },
    { key: 'tlsPort', address, port: hasTls(settings) ? tlsPort : 'off' },
    { key: 'metricsPort', address: metricsAddress, port: metricsPort },
  ];
  return all.filter((listener) => listener.port !== 'off');
}

const pairs = <T>(list: readonly T[]) =>
  list.flatMap((one, at) => list.slice(at + 1).map((other) => [one, other] as const));

function overlap(one: string, other: string): boolean {
  const [a, b] = [one, other].map((address) => (address === 'localhost' ? '127.0.0.1' : address)) as [string, string];
  const isWithin = (all: string, address: string) => all === '::' || (all === '0.0.0.0' && !address.includes(':'));
  return a === b || isWithin(a, b) || isWithin(b, a);
}

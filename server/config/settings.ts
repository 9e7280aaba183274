import type { Channel } from '../../imgapi/channels.js';
import { type Mode, modes } from '../../imgapi/image.js';
import {
  address,
  channels,
  claimName,
  databaseUrl,
  flag,
  groupsByValue,
  headerName,
  headerValue,
  hostNames,
  httpUrl,
  integer,
  issuerUrl,
  keysByUser,
  label,
  memberName,
  networks,
  oneOf,
  portOrOff,
  registryHosts,
  scopes,
  storeEncryption,
  storeUrl,
  text,
  urlsByName,
  webhook,
  zeroOr,
} from './values.js';

export interface Settings {
  address: string;
  port: number | 'off';
  publicUrl: string | undefined;
  serverName: string | undefined;
  sendfile: boolean;
  data: string;
  dropFolder: string | undefined;
  channels: Channel[];
  datacenters: Record<string, string>;
  blobGrace: number;
  insecureRegistries: string[];
  lxdRegistries: Record<string, string>;
  secretsKey: string | undefined;
  uploadLifetime: number;
  auditDays: number;
  auditWebhook: string | undefined;
  inventoryEvery: number;
  database: string | undefined;
  memberName: string | undefined;
  lease: number;
  store: string | undefined;
  storeEndpoint: string | undefined;
  storeRegion: string | undefined;
  storeClass: string | undefined;
  storeEncryption: string | undefined;
  storePathStyle: boolean;
  storeCache: number;
  storeCacheDirectory: string | undefined;
  mode: Mode;
  authType: 'none' | 'signature';
  authKeys: Record<string, string[]>;
  trustedNetworks: string[];
  trustedProxies: string[];
  certificateHeader: string | undefined;
  hostNames: string[];
  sessionLifetime: number;
  allowedAddresses: string[];
  allowedHosts: string[];
  openidIssuer: string | undefined;
  openidClient: string | undefined;
  openidSecret: string | undefined;
  openidScopes: string[];
  openidName: string;
  openidGroups: string;
  openidGroupMap: Record<string, string[]>;
  openidCreates: boolean;
  openidBinds: boolean;
  openidLabel: string;
  tlsPort: number | 'off';
  tlsCertificate: string | undefined;
  tlsKey: string | undefined;
  tlsSelfSigned: boolean;
  tlsMinVersion: 'TLSv1.2' | 'TLSv1.3';
  tlsClientCertificates: boolean;
  importsAtOnce: number;
  importBandwidth: number;
  snapshotsAtOnce: number;
  snapshotSilence: number;
  zstdImages: boolean;
  maxFileSize: number;
  maxIconSize: number;
  maxBodySize: number;
  maxConnections: number;
  requestsPerMinute: number;
  headerTimeout: number;
  idleTimeout: number;
  shutdownGrace: number;
  metricsAddress: string;
  metricsPort: number | 'off';
  logLevel: string;
}

/** The headings under which settings are shown, in their order. */
export const groups = {
  listening: 'Listening',
  keeping: 'What is kept',
  cluster: 'Several daemons',
  access: 'Who may do what',
  openid: 'Signing in by OpenID Connect',
  tls: 'TLS',
  limits: 'Limits',
  metrics: 'Metrics',
  logging: 'Logging',
};

export interface Setting<T> {
  group: keyof typeof groups;
  /** In a line, for people: it becomes help, documentation and the comments of the example file. */
  meaning: string;
  /** What help has no room for. */
  more?: string;
  /** How a file says it, where the default does not show that. */
  example?: string;
  default: T;
  /** Throws with what is wrong. What comes from a flag or the environment is a string. */
  read(value: unknown): T;
  /** In a few words, where the whole of it would be too much. */
  shown?(value: T): string;
}

/** Every setting: its key in the file is its flag (`--key`) and its variable (`SLIPWAY_KEY`) too. */
export const settings: { [Key in keyof Settings]: Setting<Settings[Key]> } = {
  address: {
    group: 'listening',
    meaning: 'address to listen on',
    more: '127.0.0.1 is reached from this machine only, 0.0.0.0 and :: from everywhere.',
    default: '127.0.0.1',
    read: address,
  },
  port: {
    group: 'listening',
    meaning: 'port for plain HTTP; 0 picks a free one, "off" leaves TLS only',
    default: 8080,
    read: portOrOff,
  },
  publicUrl: {
    group: 'listening',
    meaning: 'the URL by which others reach this server, with its path where a proxy adds one',
    more: 'Nodes of a data center that has its own setting publicUrl fetch by that.',
    example: 'publicUrl = "https://images.example.com"',
    default: undefined,
    read: httpUrl,
  },
  serverName: {
    group: 'listening',
    meaning: 'the Server header; imgapi/VERSION unless set',
    example: 'serverName = "images"',
    default: undefined,
    read: headerValue,
  },
  sendfile: {
    group: 'listening',
    meaning: 'have the kernel move files to plain connections, where it can: on Linux',
    more: 'To be switched off (sendfile = false) where DATA lies on a network mount that may hang.',
    default: true,
    read: flag,
  },

  data: {
    group: 'keeping',
    meaning: 'directory of everything that is kept; one daemon at a time',
    more: 'Catalog, files, the token of the first administrator. Relative to where the daemon is started.',
    default: 'data',
    read: text,
  },
  dropFolder: {
    group: 'keeping',
    meaning: 'directory into which operators put images by hand: UUID/manifest and UUID/file; DATA/drop unless set',
    more:
      'They are listed as the repository _HOSTNAME, to SuperAdmins. On the disk of DATA their files are not copied when ' +
      'they are imported, but made read-only where they lie.',
    example: 'dropFolder = "/srv/slipway/drop"',
    default: undefined,
    read: text,
  },
  channels: {
    group: 'keeping',
    meaning: 'release channels: name, description, and default on one of them',
    more: 'Without any, the channel parameter of requests is ignored. Flags and variables say it as JSON.',
    example: `channels = [
  { name = "dev", description = "all builds", default = true },
  { name = "release", description = "what has been released" },
]`,
    default: [],
    read: channels,
    shown: (list) => list.map(({ name, default: isDefault }) => (isDefault ? `${name} (default)` : name)).join(', '),
  },
  datacenters: {
    group: 'keeping',
    meaning: 'the IMGAPI of other data centers, by their names: images are imported from there by name',
    more: 'Flags and variables say it as JSON.',
    example: 'datacenters = { east = "https://imgapi.east.example.com" }',
    default: {},
    read: urlsByName,
    shown: (urls) => Object.keys(urls).join(', '),
  },
  insecureRegistries: {
    group: 'keeping',
    meaning: 'registries of containers that are asked over plain HTTP, with their ports; those on loopback always are',
    example: 'insecureRegistries = ["registry.example.com:5000"]',
    default: [],
    read: registryHosts,
  },
  lxdRegistries: {
    group: 'keeping',
    meaning: 'servers of images for LXD and Incus, by the names that come before the colon of an alias',
    more: 'Flags and variables say it as JSON.',
    default: { images: 'https://images.linuxcontainers.org', ubuntu: 'https://cloud-images.ubuntu.com/releases' },
    read: urlsByName,
    shown: (urls) => Object.keys(urls).join(', '),
  },
  secretsKey: {
    group: 'keeping',
    meaning: 'file with the key that seals credentials for sources, 32 bytes in base64; env:NAME for a variable',
    more:
      'Unless set, the server makes one in DATA/secrets-key when it is first needed. It is in no backup: keep it apart ' +
      'from them. Only the daemon may be able to read the file.',
    example: 'secretsKey = "/etc/slipway/secrets-key"',
    default: undefined,
    read: text,
  },
  blobGrace: {
    group: 'keeping',
    meaning: 'seconds that bytes are kept when no image holds them any more',
    default: 3600,
    read: integer(0),
  },
  uploadLifetime: {
    group: 'keeping',
    meaning: 'seconds that an upload which was cut off waits for its next part',
    more: 'As long it keeps its bytes, and its room in the quota of the image.',
    default: 86_400,
    read: integer(60),
  },
  auditDays: {
    group: 'keeping',
    meaning: 'days that entries of the audit are kept before a signed seal takes their place; 0 for ever',
    default: 0,
    read: integer(0),
  },
  auditWebhook: {
    group: 'keeping',
    meaning: 'URL to which the signed heads of the audit are posted, so that nothing can be cut off it unseen',
    more: 'At most once a minute, as JSON that "slipway audit verify --heads" takes. It should lead to another machine.',
    example: 'auditWebhook = "https://keeper.example.com/heads"',
    default: undefined,
    read: webhook,
    shown: (url) => (url === undefined ? '' : new URL(url).origin),
  },
  inventoryEvery: {
    group: 'keeping',
    meaning:
      'seconds between two looks at what machines on nodes use, which is then not deleted; 0 for never by itself',
    more: 'Nodes that have an address for ssh are asked. One that is silent keeps what was found on it last.',
    default: 300,
    read: zeroOr(integer(10)),
  },

  database: {
    group: 'cluster',
    meaning: 'PostgreSQL in which several daemons keep their records together, as a URL; without it they are in DATA',
    more:
      'Needs a store for the bytes, and a secretsKey that all daemons have. DATA is still each its own. What the URL ' +
      'leaves out, the variables PGHOST, PGUSER, PGPASSWORD and so on say; on a command line everybody can read a password.',
    example: 'database = "postgres://slipway:password@db.example.com/slipway"',
    default: undefined,
    read: databaseUrl,
    shown: (url) => (url === undefined ? '' : withoutPassword(url)),
  },
  memberName: {
    group: 'cluster',
    meaning: 'what this daemon is called among the others, each by another name; the name of the machine unless set',
    example: 'memberName = "east-1"',
    default: undefined,
    read: memberName,
  },
  lease: {
    group: 'cluster',
    meaning: 'seconds after which a daemon that is not heard of counts as gone, and that it may answer for by itself',
    more: 'A write waits as long for a daemon that died. The same on all daemons.',
    default: 5,
    read: integer(1, 300),
  },
  store: {
    group: 'cluster',
    meaning: 'S3 store in which files are kept, as s3://BUCKET/PREFIX; without it they are in DATA',
    more:
      'Credentials come from where the tools of Amazon look for them: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, ' +
      'AWS_PROFILE, the files in ~/.aws, or the machine.',
    example: 'store = "s3://images/slipway"',
    default: undefined,
    read: storeUrl,
  },
  storeEndpoint: {
    group: 'cluster',
    meaning: 'URL of the store, unless it is that of Amazon',
    example: 'storeEndpoint = "https://s3.example.com"',
    default: undefined,
    read: httpUrl,
  },
  storeRegion: {
    group: 'cluster',
    meaning: 'region of the store; AWS_REGION or us-east-1 unless set',
    example: 'storeRegion = "eu-central-1"',
    default: undefined,
    read: text,
  },
  storeClass: {
    group: 'cluster',
    meaning: 'storage class of what is kept in the store; that of the bucket unless set',
    example: 'storeClass = "STANDARD_IA"',
    default: undefined,
    read: headerValue,
  },
  storeEncryption: {
    group: 'cluster',
    meaning: 'how the store encrypts what it keeps: AES256, or aws:kms:KEY; as the bucket does unless set',
    example: 'storeEncryption = "AES256"',
    default: undefined,
    read: storeEncryption,
  },
  storePathStyle: {
    group: 'cluster',
    meaning: 'name the bucket in the path, not in the host, as most stores beside Amazon need it',
    default: true,
    read: flag,
  },
  storeCache: {
    group: 'cluster',
    meaning: 'bytes of a cache on disk for what is read from the store; 0 for none',
    default: 0,
    read: zeroOr(integer(1024 ** 2)),
  },
  storeCacheDirectory: {
    group: 'cluster',
    meaning: 'directory of that cache; DATA/cache unless set',
    example: 'storeCacheDirectory = "/var/cache/slipway"',
    default: undefined,
    read: text,
  },

  mode: {
    group: 'access',
    meaning: 'what the server is for: dc, public or private',
    more:
      'dc: a data center, whose anonymous callers see active public images. public, private: a repository on its own, ' +
      'whose images are all marked public, or all private. Private is only that mark: whoever reaches the port can ' +
      'read. Images of the other kind are hidden while the mode is on.',
    default: 'dc',
    read: oneOf(modes),
  },
  authType: {
    group: 'access',
    meaning: 'signature: changes need credentials; none: everybody may change everything',
    more: 'none is only for a network that you trust as a whole.',
    default: 'signature',
    read: oneOf(['none', 'signature'] as const),
  },
  authKeys: {
    group: 'access',
    meaning: 'operators by name, and the public ssh keys with which they sign; beside the files in DATA/authkeys',
    more: 'Flags and variables say it as JSON.',
    example: 'authKeys = { ada = ["ssh-ed25519 AAAA… ada@desk", "ssh-rsa AAAA… ada@train"] }',
    default: {},
    read: keysByUser,
    shown: (users) => Object.entries(users).map(keyCount).join(', '),
  },
  trustedNetworks: {
    group: 'access',
    meaning: 'networks whose callers are operators without credentials',
    more:
      'Having no name, such callers must say the owner of what they create. A network that holds a trusted proxy is ' +
      'refused: everybody behind the proxy would be trusted.',
    example: 'trustedNetworks = ["10.0.0.0/8", "fd00::/8"]',
    default: [],
    read: networks,
  },
  trustedProxies: {
    group: 'access',
    meaning: 'addresses of the reverse proxies in front, whose X-Forwarded-For and X-Forwarded-Proto are believed',
    example: 'trustedProxies = ["127.0.0.1"]',
    default: [],
    read: networks,
  },
  certificateHeader: {
    group: 'access',
    meaning: 'header in which trusted proxies pass on the certificate of a client, by which nodes are known',
    more:
      'Its SHA-256 fingerprint in hex, or the certificate as PEM, escaped as in a URL: $ssl_client_escaped_cert of nginx. ' +
      'The proxy must ask for certificates and must replace what clients send in this header.',
    example: 'certificateHeader = "x-client-certificate"',
    default: undefined,
    read: headerName,
  },
  hostNames: {
    group: 'access',
    meaning: 'names by which callers without credentials may address the server, beside its addresses; "*" for any',
    more: 'The name of the machine, localhost and the host of publicUrl are known without being listed.',
    example: 'hostNames = ["images.example.com"]',
    default: [],
    read: hostNames,
  },
  allowedAddresses: {
    group: 'access',
    meaning:
      'private networks that the server asks for callers who are no SuperAdmins: for imports, callbacks, webhooks',
    more:
      'Without it they reach no private, loopback or link-local address. What SuperAdmins configure and ask for is asked ' +
      'wherever it is.',
    example: 'allowedAddresses = ["10.20.0.0/16"]',
    default: [],
    read: networks,
  },
  allowedHosts: {
    group: 'access',
    meaning: 'names that the server asks through a proxy for callers who are no SuperAdmins; "*" for any',
    more: 'For where http_proxy or https_proxy is set: what a name leads to is known to the proxy alone then.',
    example: 'allowedHosts = ["images.example.com"]',
    default: [],
    read: hostNames,
  },
  sessionLifetime: {
    group: 'access',
    meaning: 'seconds for which a login is good; that of a browser is prolonged while it is used, to 14 times as long',
    default: 12 * 3600,
    read: integer(60, 366 * 86400),
  },

  openidIssuer: {
    group: 'openid',
    meaning: 'URL of the place where people sign in, as it calls itself; without it passwords and tokens do',
    more:
      'Letter by letter, with its last slash where it has one. Register PUBLICURL/console/openid/callback there, and ' +
      'PUBLICURL/console/ for signing out. What it names on other hosts is asked where it is public, or in allowedAddresses; ' +
      'a CA of your own goes into NODE_EXTRA_CA_CERTS.',
    example: 'openidIssuer = "https://login.example.com/realms/site"',
    default: undefined,
    read: issuerUrl,
  },
  openidClient: {
    group: 'openid',
    meaning: 'the client id under which this server is registered there',
    example: 'openidClient = "slipway"',
    default: undefined,
    read: headerValue,
  },
  openidSecret: {
    group: 'openid',
    meaning: 'file with the client secret; env:NAME for a variable; none for a client that has none',
    more: 'Only the daemon may be able to read the file.',
    example: 'openidSecret = "/etc/slipway/openid-secret"',
    default: undefined,
    read: text,
  },
  openidScopes: {
    group: 'openid',
    meaning: 'what is asked for there; some tell groups only to who asks for a scope of that name',
    default: ['openid', 'profile', 'email'],
    read: scopes,
  },
  openidName: {
    group: 'openid',
    meaning: 'claim with the name of the user',
    more: 'For users who are made or bound. Who has signed in before is known by the subject, whatever the name is by now.',
    default: 'preferred_username',
    read: claimName,
  },
  openidGroups: {
    group: 'openid',
    meaning: 'claim with the groups, for openidGroupMap; with dots it leads into a claim, as in realm_access.roles',
    default: 'groups',
    read: claimName,
  },
  openidGroupMap: {
    group: 'openid',
    meaning: 'which groups of ours the values of that claim mean, one or a list; without it groups are not touched',
    more:
      'With each sign-in a user is put into the groups that are named here, and taken out of those that no value means any ' +
      'more. All other groups are left alone. Flags and variables say it as JSON.',
    example: 'openidGroupMap = { operations = ["east-admins", "west-admins"], developers = "image-makers" }',
    default: {},
    read: groupsByValue,
    shown: (map) =>
      Object.entries(map)
        .map(([value, names]) => `${value} (${names.join(', ')})`)
        .join(', '),
  },
  openidCreates: {
    group: 'openid',
    meaning: 'make a user of whoever signs in there and is not known here',
    default: false,
    read: flag,
  },
  openidBinds: {
    group: 'openid',
    meaning: 'take users who are here already for those who sign in there under the same name',
    more:
      'Only where nobody can choose that name there. It never holds for SuperAdmins: another one gives them their ' +
      'openid_subject.',
    default: false,
    read: flag,
  },
  openidLabel: {
    group: 'openid',
    meaning: 'what the button says that leads there',
    default: 'Sign in with OpenID Connect',
    read: label,
  },

  tlsPort: {
    group: 'tls',
    meaning: 'port for HTTPS, where there is a certificate; "off" for plain HTTP only',
    default: 8443,
    read: portOrOff,
  },
  tlsCertificate: {
    group: 'tls',
    meaning: 'file with the certificate and its chain, as PEM',
    example: 'tlsCertificate = "/etc/slipway/certificate.pem"',
    default: undefined,
    read: text,
  },
  tlsKey: {
    group: 'tls',
    meaning: 'file with the key of the certificate, as PEM',
    example: 'tlsKey = "/etc/slipway/key.pem"',
    default: undefined,
    read: text,
  },
  tlsSelfSigned: {
    group: 'tls',
    meaning: 'make a certificate in DATA/tls, and sign it ourselves',
    default: false,
    read: flag,
  },
  tlsMinVersion: {
    group: 'tls',
    meaning: 'oldest TLS that is spoken; nodes with an old platform know nothing newer than 1.2',
    default: 'TLSv1.2',
    read: oneOf(['TLSv1.2', 'TLSv1.3'] as const),
  },
  tlsClientCertificates: {
    group: 'tls',
    meaning: 'ask clients for a certificate, by which nodes are known; nobody needs one',
    more: 'Browsers that have certificates of their own ask their user for one: then switch it off.',
    default: true,
    read: flag,
  },

  importsAtOnce: {
    group: 'limits',
    meaning: 'imports at the same time; data centers take turns',
    default: 4,
    read: integer(1, 64),
  },
  importBandwidth: {
    group: 'limits',
    meaning: 'bytes a second that all imports fetch together, at least 65536; 0 for as many as there are',
    default: 0,
    read: zeroOr(integer(64 << 10)),
  },
  snapshotsAtOnce: {
    group: 'limits',
    meaning: 'images made of snapshots at the same time; data centers take turns',
    default: 4,
    read: integer(1, 64),
  },
  snapshotSilence: {
    group: 'limits',
    meaning: 'seconds after which a node has failed that sends nothing of a snapshot',
    more: 'What packs well can take long until something comes of it: an empty disk with bzip2, for example.',
    default: 300,
    read: integer(1, 86_400),
  },
  zstdImages: {
    group: 'limits',
    meaning: 'images may be packed with zstd: all nodes that fetch them unpack it',
    more: 'What speaks only the IMGAPI of old, such as imgadm, knows none, gzip, bzip2 and xz.',
    default: false,
    read: flag,
  },
  maxFileSize: {
    group: 'limits',
    meaning: 'largest image file in bytes',
    default: 20 * 1024 ** 3,
    read: integer(1),
  },
  maxIconSize: {
    group: 'limits',
    meaning: 'largest icon in bytes',
    default: 128 * 1024,
    read: integer(1),
  },
  maxBodySize: {
    group: 'limits',
    meaning: 'largest JSON body in bytes',
    default: 1024 ** 2,
    read: integer(1024, 64 * 1024 ** 2),
  },
  maxConnections: {
    group: 'limits',
    meaning: 'connections at the same time; 0 for any number',
    default: 0,
    read: integer(0),
  },
  requestsPerMinute: {
    group: 'limits',
    meaning: 'requests of one caller in a minute; 0 for any number',
    default: 0,
    read: integer(0),
  },
  headerTimeout: {
    group: 'limits',
    meaning: 'seconds that the headers of a request may take',
    default: 60,
    read: integer(1, 3600),
  },
  idleTimeout: {
    group: 'limits',
    meaning: 'seconds for which nothing may move on a connection; the whole may take as long as it needs',
    default: 120,
    read: integer(1, 86400),
  },
  shutdownGrace: {
    group: 'limits',
    meaning: 'seconds that transfers may go on after a stop was asked for',
    default: 30,
    read: integer(0),
  },

  metricsAddress: {
    group: 'metrics',
    meaning: 'address of the metrics listener',
    default: '127.0.0.1',
    read: address,
  },
  metricsPort: {
    group: 'metrics',
    meaning: 'port on which /metrics is served without credentials; "off": on the main port, with credentials, only',
    default: 'off',
    read: portOrOff,
  },

  logLevel: {
    group: 'logging',
    meaning: 'how much is logged: trace, debug, info, warn, error, fatal, silent',
    more: 'JSON lines on standard error.',
    default: 'info',
    read: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const),
  },
};

export type Key = keyof Settings;

export const keys = Object.keys(settings) as Key[];

export const isKey = (name: string): name is Key => Object.hasOwn(settings, name);

export const keysOf = (group: keyof typeof groups) => keys.filter((key) => settings[key].group === group);

function keyCount([user, lines]: [string, string[]]): string {
  return `${user} (${lines.length} ${lines.length === 1 ? 'key' : 'keys'})`;
}

/** Neither where it usually is nor among the parameters. */
function withoutPassword(url: string): string {
  const [, protocol = '', user = '', place = ''] = /^(\w+:\/\/)(?:([^:@/]*)(?::[^@/]*)?@)?([^?]*)/.exec(url) ?? [];
  return `${protocol}${user === '' ? '' : `${user}@`}${place}`;
}

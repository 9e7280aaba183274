import type { Channel } from '../../imgapi/channels.js';
import { type Mode, modes } from '../../imgapi/image.js';
import {
  address,
  channels,
  flag,
  headerValue,
  httpUrl,
  integer,
  keysByUser,
  networks,
  oneOf,
  portOrOff,
  text,
  texts,
} from './values.js';

export interface Settings {
  address: string;
  port: number | 'off';
  data: string;
  mode: Mode;
  authType: 'none' | 'signature';
  authKeys: Record<string, string[]>;
  channels: Channel[];
  serverName: string | undefined;
  publicUrl: string | undefined;
  hostNames: string[];
  trustedNetworks: string[];
  trustedProxies: string[];
  tlsPort: number | 'off';
  tlsCertificate: string | undefined;
  tlsKey: string | undefined;
  tlsSelfSigned: boolean;
  tlsMinVersion: 'TLSv1.2' | 'TLSv1.3';
  metricsAddress: string;
  metricsPort: number | 'off';
  maxFileSize: number;
  maxIconSize: number;
  maxBodySize: number;
  maxConnections: number;
  requestsPerMinute: number;
  headerTimeout: number;
  idleTimeout: number;
  blobGrace: number;
  shutdownGrace: number;
  logLevel: string;
}

export interface Setting<T> {
  /** One line, or a few, for people: it becomes help, documentation and the comments of the example file. */
  meaning: string;
  default: T;
  /** Throws with what is wrong. What comes from a flag or the environment is a string. */
  read(value: unknown): T;
}

/** Every setting: its key in the file is its flag (`--key`) and its variable (`SLIPWAY_KEY`) too. */
export const settings: { [Key in keyof Settings]: Setting<Settings[Key]> } = {
  address: { meaning: 'address to listen on', default: '127.0.0.1', read: address },
  port: { meaning: 'port for plain HTTP; 0 picks a free one, "off" leaves TLS only', default: 8080, read: portOrOff },
  data: { meaning: 'directory of everything that is kept; one daemon at a time', default: 'data', read: text },
  mode: { meaning: 'what the server is for: dc, public or private', default: 'dc', read: oneOf(modes) },
  authType: {
    meaning: 'signature: changes need credentials; none: everybody may change everything',
    default: 'signature',
    read: oneOf(['none', 'signature'] as const),
  },
  authKeys: {
    meaning: 'operators by name, and the public ssh keys with which they sign; beside the files in DATA/authkeys',
    default: {},
    read: keysByUser,
  },
  channels: { meaning: 'release channels: name, description, and default on one of them', default: [], read: channels },
  serverName: { meaning: 'the Server header; imgapi/VERSION unless set', default: undefined, read: headerValue },
  publicUrl: {
    meaning: 'the URL by which others reach this server, with its path where a proxy adds one',
    default: undefined,
    read: httpUrl,
  },
  hostNames: {
    meaning: 'names by which callers without credentials may address the server, beside its addresses; "*" for any',
    default: [],
    read: texts,
  },
  trustedNetworks: { meaning: 'networks whose callers are operators without credentials', default: [], read: networks },
  trustedProxies: {
    meaning: 'addresses of the reverse proxies in front, whose X-Forwarded-For is believed',
    default: [],
    read: networks,
  },
  tlsPort: { meaning: 'port for HTTPS, where there is a certificate', default: 8443, read: portOrOff },
  tlsCertificate: { meaning: 'file with the certificate and its chain, as PEM', default: undefined, read: text },
  tlsKey: { meaning: 'file with the key of the certificate, as PEM', default: undefined, read: text },
  tlsSelfSigned: {
    meaning: 'make a certificate in DATA/tls, and sign it ourselves',
    default: false,
    read: flag,
  },
  tlsMinVersion: {
    meaning: 'oldest TLS that is spoken; nodes with an old platform know nothing newer than 1.2',
    default: 'TLSv1.2',
    read: oneOf(['TLSv1.2', 'TLSv1.3'] as const),
  },
  metricsAddress: { meaning: 'address of the metrics listener', default: '127.0.0.1', read: address },
  metricsPort: {
    meaning: 'port on which /metrics is served without credentials; "off": on the main port, with credentials, only',
    default: 'off',
    read: portOrOff,
  },
  maxFileSize: { meaning: 'largest image file in bytes', default: 20 * 1024 ** 3, read: integer(1) },
  maxIconSize: { meaning: 'largest icon in bytes', default: 128 * 1024, read: integer(1) },
  maxBodySize: { meaning: 'largest JSON body in bytes', default: 1024 ** 2, read: integer(1024, 64 * 1024 ** 2) },
  maxConnections: { meaning: 'connections at the same time; 0 for any number', default: 0, read: integer(0) },
  requestsPerMinute: { meaning: 'requests of one caller in a minute; 0 for any number', default: 0, read: integer(0) },
  headerTimeout: { meaning: 'seconds that the headers of a request may take', default: 60, read: integer(1, 3600) },
  idleTimeout: {
    meaning: 'seconds for which nothing may move on a connection; the whole may take as long as it needs',
    default: 120,
    read: integer(1, 86400),
  },
  blobGrace: {
    meaning: 'seconds that bytes are kept when no image holds them any more',
    default: 3600,
    read: integer(0),
  },
  shutdownGrace: {
    meaning: 'seconds that transfers may go on after a stop was asked for',
    default: 30,
    read: integer(0),
  },
  logLevel: {
    meaning: 'how much is logged: trace, debug, info, warn, error, fatal, silent',
    default: 'info',
    read: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const),
  },
};

export const keys = Object.keys(settings) as (keyof Settings)[];

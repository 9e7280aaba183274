import type { Logger } from 'pino';
import type { Channel } from '../imgapi/channels.js';
import type { Mode } from '../imgapi/image.js';
import type { BlobStore } from '../storage/blobs.js';
import type { Catalog } from '../storage/catalog.js';
import type { Space } from '../storage/space.js';
import type { Audit } from './audit/audit.js';
import type { EventStreams } from './audit/event-streams.js';
import type { Keyring } from './auth/keyring.js';
import type { LoginThrottle } from './auth/login-throttle.js';
import type { SeenSignatures } from './auth/seen-signatures.js';
import type { ConsoleFiles } from './console-files.js';
import type { Hypervisors } from './hypervisors/hypervisors.js';
import type { Kernel } from './kernel.js';
import type { Metrics } from './metrics/instruments.js';
import type { CallbackWish } from './model/callback.js';
import type { OpenIdRules } from './model/openid.js';
import type { RecordTag } from './model/record-tag.js';
import type { RegistryRules } from './model/registries.js';
import type { OpenIdIssuer } from './openid/issuer.js';
import type { Beside } from './operations/beside.js';
import type { Copies } from './operations/copies.js';
import type { Directory } from './operations/directory.js';
import type { Fleet } from './operations/fleet.js';
import type { ImportsUnderWay } from './operations/imports-under-way.js';
import type { Listing } from './operations/listing.js';
import type { Manifests } from './operations/manifests.js';
import type { Migration } from './operations/migration.js';
import type { NodeBook } from './operations/node-book.js';
import type { NodeWork } from './operations/node-work.js';
import type { RepositoryBook } from './operations/repository-book.js';
import type { Reservations } from './operations/reservations.js';
import type { SampleBook } from './operations/sample-book.js';
import type { TokenUses } from './operations/token-uses.js';
import type { TransfersNow } from './operations/transfers-now.js';
import type { UploadsUnderWay } from './operations/uploads-under-way.js';
import type { Outgoing } from './outgoing/outgoing.js';
import type { Readiness } from './readiness.js';
import type { Seals } from './sealing/seals.js';
import type { TaskRunner } from './tasks/runner.js';

/** The part of the configuration that routes and operations read. */
export interface Policy {
  mode: Mode;
  channels: readonly Channel[];
  authType: 'none' | 'signature';
  serverName: string;
  version: string;
  maxFileSize: number;
  maxIconSize: number;
  maxBodySize: number;
  requestsPerMinute: number;
  hostNames: readonly string[];
  publicUrl: string | undefined;
  trustedProxies: readonly string[];
  /** The header in which those proxies pass on the certificates of clients. */
  certificateHeader: string | undefined;
  /** Seconds for which a login is good. */
  sessionLifetime: number;
  /** Whom the place proves where people sign in; absent where there is none. */
  openid: OpenIdRules | undefined;
  blobGrace: number;
  /** The IMGAPI of other data centers, by their names. */
  datacenters: Readonly<Record<string, string>>;
  /** Seconds for which an upload waits for its next part. */
  uploadLifetime: number;
  auditDays: number;
  registries: RegistryRules;
  /** May images be packed with zstd? */
  zstdImages: boolean;
  /** How patient it is with nodes that send snapshots: milliseconds without a byte, and between attempts. */
  snapshots: { silence: number; pauses: readonly number[] };
}

/** All that a route or an operation may reach. */
export interface Deps {
  catalog: Catalog;
  blobs: BlobStore;
  /** What is kept in neither of these. */
  beside: Beside;
  /** Absent where Node has to do all by itself. */
  kernel: Kernel | undefined;
  /** Absent where it was not built. */
  console: ConsoleFiles | undefined;
  listing: Listing;
  directory: Directory;
  repositories: RepositoryBook;
  fleet: Fleet;
  /** Which images are on which nodes. */
  copies: Copies;
  /** What goes to nodes for tasks. */
  nodeWork: NodeWork;
  reservations: Reservations;
  uploads: UploadsUnderWay;
  /** What imports still need of the disk, and how they fetch. */
  imports: ImportsUnderWay;
  /** On the disk that takes the blobs. */
  space: () => Promise<Space>;
  /** That disk; absent where the blobs lie in a bucket. */
  disk: (() => Promise<Space>) | undefined;
  /** How the server was, and what it had moved. */
  samples: SampleBook;
  /** The files that are on their way. */
  transfers: TransfersNow;
  manifests: Manifests;
  /** To other stores. */
  migration: Migration;
  tasks: TaskRunner;
  audit: Audit;
  /** The same on all daemons. */
  recordTag: RecordTag;
  events: EventStreams;
  /** Every request that leaves the daemon. */
  outgoing: Outgoing;
  /** The place where people sign in; absent where there is none. */
  openid: OpenIdIssuer | undefined;
  seals: Seals;
  /** What is known of nodes that are talked to. */
  nodeBook: NodeBook;
  /** The nodes that are talked to. */
  hypervisors: Hypervisors;
  /** What whoever asks wants to be told of, when what it asks for has ended. */
  callback?: CallbackWish;
  policy: Policy;
  log: Logger;
  metrics: Metrics;
  readiness: Readiness;
  now: () => Date;
  keyring: Keyring;
  logins: LoginThrottle;
  /** When tokens were used last. */
  uses: TokenUses;
  seenSignatures: SeenSignatures;
  /** Does a request from this address need no credentials? */
  trusts: (address: string) => boolean;
  /** Is this the address of a proxy that tells the truth about whom it passes on? */
  isProxy: (address: string) => boolean;
}

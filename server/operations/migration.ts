import { ImgapiError } from '../../imgapi/errors.js';

/** How far a move of the server to other stores has come. */
export interface MigrationStatus {
  /** `finishing`: nothing is written any more; `moved`: the server stops. */
  status: 'none' | 'interrupted' | 'copying' | 'finishing' | 'moved' | 'failed' | 'aborted';
  /** The configuration of where it goes. */
  config: string | null;
  started: string | null;
  contents: number;
  contents_total: number;
  bytes: number;
  bytes_total: number;
  /** Contents that were lost here already, by their sha256. */
  unreadable: string[];
  /** Records that are there. */
  records: number | null;
  error: string | null;
}

/** Takes the server to other stores. */
export interface Migration {
  status(): MigrationStatus;
  /** Refuses what can not be; goes on in the background. `tell` is heard when the first step is done. */
  start(config: string): Promise<void>;
  /** Of what was copied, all stays for the next time. */
  abort(): Promise<void>;
}

export const noStatus: MigrationStatus = {
  status: 'none',
  config: null,
  started: null,
  contents: 0,
  contents_total: 0,
  bytes: 0,
  bytes_total: 0,
  unreadable: [],
  records: null,
  error: null,
};

/** Of a server that has nowhere to go. */
export const noMigration: Migration = {
  status: () => noStatus,
  start: () => Promise.reject(new ImgapiError('ServiceUnavailableError', 'this server can not move')),
  abort: async () => {},
};

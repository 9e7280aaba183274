/** What a server keeps beside its stores, by its name in the data directory. */
export interface Beside {
  /** What restores with a server in any case. */
  open(): Promise<Map<string, Buffer>>;
  /** What whoever reads a backup is not to have. */
  secret(): Promise<Map<string, Buffer>>;
}

export const nothingBeside: Beside = {
  open: async () => new Map(),
  secret: async () => new Map(),
};

/** The names that a backup may bring, so that none leads anywhere else. */
export const isBeside = (name: string): boolean =>
  /^(audit-key|audit-head|takeover-report\.json|authkeys\/((local|manta)\/)?[A-Za-z0-9][A-Za-z0-9._@+-]*\.keys)$/.test(
    name,
  );

export const isSecretBeside = (name: string): boolean =>
  /^(admin-token|secrets-key|node-key|tls\/(certificate|key)\.pem)$/.test(name);

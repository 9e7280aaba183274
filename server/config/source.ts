/** A value as somebody wrote it, and where: `--port`, `SLIPWAY_PORT`, `port in slipway.toml`. */
export interface Found {
  value: unknown;
  at: string;
}

/** What one place says, by setting, and what is wrong with the place itself. */
export interface Source {
  found: ReadonlyMap<string, Found>;
  problems: readonly string[];
  warnings: readonly string[];
}

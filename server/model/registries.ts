/** How registries of containers and images are asked. */
export interface RegistryRules {
  /** Hosts that are asked over plain HTTP, with their ports. */
  insecure: readonly string[];
  /** Servers of LXD and Incus images: name → URL. */
  lxd: Readonly<Record<string, string>>;
  /** Milliseconds for which they may be silent. */
  patience: number;
  /** Milliseconds before each further attempt. */
  pauses: readonly number[];
}

export const PATIENCE = 15_000;
/** Five attempts in all. */
export const PAUSES = [500, 1000, 2000, 4000];

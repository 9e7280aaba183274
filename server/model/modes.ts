import type { Mode } from '../../imgapi/image.js';

interface ModeLaw {
  /** The owner of an image must be a known user. */
  ownersAreUsers: boolean;
  /** Imported images belong to nobody in particular, whatever their manifest says. */
  importsUnowned: boolean;
  /** Callers without credentials get any image that they can name, in whatever state. */
  readsAreOpen: boolean;
  /** Images can be cloned for an account that they are shared with. */
  clones: boolean;
  /** `pid` in a ping needs no credentials. */
  pidIsOpen: boolean;
  /** Virtual machines and other data centers exist. */
  fleet: boolean;
}

/** A repository on its own: no users, no machines, open to read. Public and private differ in their manifests only. */
const standalone: ModeLaw = {
  ownersAreUsers: false,
  importsUnowned: true,
  readsAreOpen: true,
  clones: false,
  pidIsOpen: false,
  fleet: false,
};

const datacenter: ModeLaw = {
  ownersAreUsers: true,
  importsUnowned: false,
  readsAreOpen: false,
  clones: true,
  pidIsOpen: true,
  fleet: true,
};

/** What the configured mode changes beside the manifest's own rules. */
export const modeLaw: Record<Mode, ModeLaw> = {
  public: standalone,
  private: standalone,
  dc: datacenter,
};

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

/** What the configured mode changes beside the manifest's own rules. */
export const modeLaw: Record<Mode, ModeLaw> = {
  public: {
    ownersAreUsers: false,
    importsUnowned: true,
    readsAreOpen: true,
    clones: false,
    pidIsOpen: false,
    fleet: false,
  },
  private: {
    ownersAreUsers: false,
    importsUnowned: true,
    readsAreOpen: true,
    clones: false,
    pidIsOpen: false,
    fleet: false,
  },
  dc: {
    ownersAreUsers: true,
    importsUnowned: false,
    readsAreOpen: false,
    clones: true,
    pidIsOpen: true,
    fleet: true,
  },
};

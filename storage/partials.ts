import type { Kind } from './catalog.js';

/** A blob on its way in that shall go on after a cut or a crash: it is swept by nobody but its holder. */
export interface Partial {
  /** Who will go on with it: a task and an image, a session of uploads. */
  holder: string;
  key: string;
  /** Of which content of the source it is a part. */
  mark?: string;
}

export const partials: Kind<Partial> = {
  name: 'partials',
  id: ({ holder }) => holder,
  unique: ({ key }) => [`key:${key}`],
};

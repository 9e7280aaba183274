import type { Kind, Tx } from './catalog.js';
import type { Members } from './members.js';

/** A blob on its way in that shall go on after a cut or a crash: it is swept by nobody but its holder. */
export interface Partial {
  /** Who will go on with it: a task and an image, a session of uploads. */
  holder: string;
  key: string;
  /** Of which content of the source it is a part. */
  mark?: string;
  /** The daemon that works on it, of several that could. */
  member?: string;
  /** Another daemon was lost while it was at it: what it had sent may still come. What has become of it is read once more. */
  isTorn?: true;
}

export const partials: Kind<Partial> = {
  name: 'partials',
  id: ({ holder }) => holder,
  unique: ({ key }) => [`key:${key}`],
};

/** As whose it is written down. A daemon that has no others writes nothing. */
export const inHandsOf = ({ only, self }: Members): Pick<Partial, 'member'> => (only ? {} : { member: self.id });

export const isInHandsOf = ({ only, self }: Members, { member }: Partial): boolean =>
  only === true || member === self.id;

/** Whatever another may still be sending to it. */
export async function takeIntoHands(tx: Tx, members: Members, partial: Partial): Promise<Partial> {
  if (isInHandsOf(members, partial)) return partial;
  const isTorn = partial.isTorn ?? partial.member !== undefined;
  const taken = { ...partial, ...inHandsOf(members), ...(isTorn && { isTorn }) };
  await tx.replace(partials, taken);
  return taken;
}

/** By which what lies outside of the catalog is known to belong to it: its bytes, where others keep theirs beside them. */
export interface Identity {
  id: typeof SERVER;
  uuid: string;
}

export const SERVER = 'server';

export const identities = {
  name: 'identity',
  id: ({ id }: Identity) => id,
};

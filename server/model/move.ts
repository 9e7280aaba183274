/** That the server moves to other stores, or has. */
export interface Move {
  id: typeof MOVE;
  /**
   * What goes along says `leaving`, as what stays behind does until all has arrived: both may be started, which takes
   * this away. What has been `left` may not.
   */
  state: 'leaving' | 'left';
  /** The configuration file. */
  to: string;
  at: string;
}

export const MOVE = 'move';

export const moves = { name: 'moves', id: ({ id }: Move) => id };

/** A daemon among those that share a catalog. */
export interface Member {
  /** Of this start: a daemon that starts again, or comes back after its lease was over, is another member. */
  id: string;
  /** What people call it. */
  name: string;
  version: string;
  /** When it joined. */
  since: string;
}

/** Who shares the catalog at this moment, and what they agree on without writing to it. */
export interface Members {
  readonly self: Member;
  /** Where nobody else can be in, now or at any other time: what another has begun is nobody's any more. */
  readonly only?: true;
  /** Those whose leases are good, this one included, whoever has been in for longest first. */
  all(): readonly Member[];
  isIn(id: string): boolean;
  /** Asks who is in now: afterwards `isIn` knows everybody who had joined before this was called. */
  look(): Promise<void>;
  /** Whether what is done once for all is this one's to do: it has been in for longest. */
  isFirst(): boolean;
  /** Calls back when somebody has come or gone, this one's return included. Returns the way to stop. */
  follow(follower: () => void): () => void;
  /**
   * Tells all others, at once and at most once each: what is told while a connection is cut is lost. For what may be
   * lost only; JSON of some kilobytes.
   */
  tell(topic: string, message: unknown): void;
  /** Hears what others tell, never what this one does. Returns the way to stop. */
  hear(topic: string, listener: (message: unknown, from: string) => void): () => void;
  /** One at a time among all of them, under a name; waits for its turn. */
  alone<R>(name: string, work: () => Promise<R>): Promise<R>;
  /** The same, but nothing is done where somebody is at it. */
  ifAlone<R>(name: string, work: () => Promise<R>): Promise<R | undefined>;
}

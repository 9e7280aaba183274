import type { Node } from '../model/node.js';
import type { Grant } from '../model/token.js';
import type { User } from '../model/user.js';

/** Whom a request has proven, and what that is good for. */
export type Credentials = Grant &
  (
    | { user: User; node?: undefined }
    /** `publish`: the data center to which the node may bring images. */
    | { node: Node; publish?: string | undefined; user?: undefined }
  );

import type { Grant } from '../model/token.js';
import type { User } from '../model/user.js';

/** Whom an Authorization header proves, and what it is good for. */
export interface Credentials extends Grant {
  user: User;
}

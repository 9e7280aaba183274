import type { Scope } from '../model/scope.js';
import type { User } from '../model/user.js';

/** Whom an Authorization header proves, and what it is good for. */
export interface Credentials {
  user: User;
  scope: Scope;
}

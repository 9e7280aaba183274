import type { Deps } from '../deps.js';
import { presentUser } from '../model/user.js';

export async function listUsers({ directory }: Deps) {
  return [...directory.users.values()].map(presentUser);
}

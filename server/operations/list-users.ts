import type { Deps } from '../deps.js';
import type { User } from '../model/user.js';

export const listUsers = ({ directory }: Pick<Deps, 'directory'>): User[] => [...directory.users.values()];

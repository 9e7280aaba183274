import { readAuthorizedKeys } from '../auth/ssh-keys.js';
import { isUserName } from '../model/user-name.js';
import type { Settings } from './settings.js';

/** Which of the configured keys can not be used. Only warned of: the others work. */
export function checkKeys({ authKeys }: Settings): string[] {
  return Object.entries(authKeys).flatMap(([user, lines]) => {
    if (!isUserName(user)) return [`authKeys: "${user}" is no user name, and can not sign`];
    const { problems } = readAuthorizedKeys(lines.join('\n'));
    return problems.map(({ line, reason }) => `authKeys: line ${line} of ${user} is left out: ${reason}`);
  });
}

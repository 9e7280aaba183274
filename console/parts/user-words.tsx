import type { Results } from '../api/types.js';
import { Badge } from './badge.js';

type User = Results['GetUser'];

/** How a user stands. */
export const UserBadges = ({ user }: { user: User }) => (
  <span class="badges">
    {user.super_admin && <Badge text="SuperAdmin" title="may do everything, everywhere" tone="good" />}
    {!user.active && <Badge text="locked out" title="nobody can be this user" tone="bad" />}
    {!user.api_access && <Badge text="no API" title="nothing is answered to this user" tone="warn" />}
    {user.active && user.api_access && !user.super_admin && <Badge text="active" />}
  </span>
);

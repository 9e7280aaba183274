import { Link } from '../router.js';
import { useAccount } from '../session.js';
import '../style/lines.css';

/** Over every page: what needs files is greyed, and this is why. */
export function NoFiles() {
  const { records_only: isSo, super_admin: isSuper } = useAccount();
  if (!isSo) return null;
  return (
    <p class="banner" role="status">
      <strong>This server keeps records only.</strong> Imports, changes and deletions of images touch no files, and
      nothing is made of snapshots. {isSuper && <Link to="/datacenters/main">It is set in main.</Link>}
    </p>
  );
}

import { useEffect, useState } from 'preact/hooks';
import { ask, part } from '../api/ask.js';
import { Link } from '../router.js';
import { holds, useAccount } from '../session.js';

const names = new Map<string, Promise<string>>();

/** What an image is called, which is asked once; its uuid for those who do not see it. */
function nameOf(uuid: string, path: string): Promise<string> {
  const known = names.get(uuid);
  if (known) return known;
  const asked = ask<{ name: string }>(path, { query: { full: true } }).then(
    ({ result }) => result.name,
    () => uuid,
  );
  names.set(uuid, asked);
  return asked;
}

interface Props {
  uuid: string;
  /** In which it is looked for by those who see the images of their data centers only. */
  dc: string | null;
  title?: string;
}

/** An image that is known by its uuid, by its name. */
export function ImageName({ uuid, dc, title }: Props) {
  const account = useAccount();
  const within = dc === null || holds(account, 'image_admin') ? '' : `/dc/${part(dc)}`;
  const [name, setName] = useState(uuid);
  useEffect(() => {
    let isShown = true;
    void nameOf(uuid, `${within}/image/${part(uuid)}`).then((told) => isShown && setName(told));
    return () => {
      isShown = false;
    };
  }, [uuid, within]);
  return (
    <Link to={`/image/${part(uuid)}`} title={title ?? uuid}>
      <bdi>{name}</bdi>
    </Link>
  );
}

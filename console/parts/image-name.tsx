import { useEffect, useState } from 'preact/hooks';
import { ask, part } from '../api/ask.js';
import { Link } from '../router.js';

const names = new Map<string, Promise<string>>();

/** What an image is called, which is asked once; its uuid for those who do not see it. */
function nameOf(uuid: string): Promise<string> {
  const known = names.get(uuid);
  if (known) return known;
  const asked = ask<{ name: string }>(`/image/${part(uuid)}`, { query: { full: true } }).then(
    ({ result }) => result.name,
    () => uuid,
  );
  names.set(uuid, asked);
  return asked;
}

/** An image that is known by its uuid, by its name. */
export function ImageName({ uuid, title }: { uuid: string; title?: string }) {
  const [name, setName] = useState(uuid);
  useEffect(() => {
    let isShown = true;
    void nameOf(uuid).then((told) => isShown && setName(told));
    return () => {
      isShown = false;
    };
  }, [uuid]);
  return (
    <Link to={`/image/${part(uuid)}`} title={title ?? uuid}>
      {name}
    </Link>
  );
}

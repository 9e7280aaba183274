import type { ComponentChildren } from 'preact';
import { part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { Link } from '../router.js';
import { useAccount } from '../session.js';
import { bytes } from './words.js';

type Busy = Results['GetOverview']['busiest']['day'];

interface Props {
  busy: Busy;
  /** In which stretch of time. */
  span: 'day' | 'week';
}

/** So many are told; the API tells more. */
const SHOWN = 8;

export const BusyImages = ({ busy: { images }, span }: Props) => (
  <Busiest
    title={`Busiest images of the last ${span}`}
    empty={`Nothing was downloaded in the last ${span}.`}
    of={images.map(({ uuid, name, version, ...pulled }) => ({
      ...pulled,
      key: uuid,
      name:
        name === null ? (
          <span class="quiet" title={uuid}>
            {uuid.slice(0, 8)}…, not here any more
          </span>
        ) : (
          <>
            <Link to={`/image/${part(name)}`}>{name}</Link> <span class="quiet">{version}</span>
          </>
        ),
    }))}
  />
);

/** Nodes have pages for those who manage them. */
export function BusyNodes({ busy: { nodes }, span }: Props) {
  const { super_admin: isOperator } = useAccount();
  return (
    <Busiest
      title={`Busiest nodes of the last ${span}`}
      empty={`No node has pulled anything in the last ${span}.`}
      of={nodes.map(({ name, ...pulled }) => ({
        ...pulled,
        key: name,
        name: isOperator ? <Link to={`/nodes/${part(name)}`}>{name}</Link> : name,
      }))}
    />
  );
}

interface Pulled {
  key: string;
  name: ComponentChildren;
  downloads: number;
  bytes: number;
}

const Busiest = ({ title, empty, of }: { title: string; empty: string; of: readonly Pulled[] }) => (
  <section class="box">
    <h2>{title}</h2>
    {of.length === 0 ? (
      <p class="quiet">{empty}</p>
    ) : (
      <div class="scrolls">
        <table class="small">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col" class="number">
                Downloads
              </th>
              <th scope="col" class="number">
                Served
              </th>
            </tr>
          </thead>
          <tbody>
            {of.slice(0, SHOWN).map(({ key, name, downloads, bytes: served }) => (
              <tr key={key}>
                <td class="name">{name}</td>
                <td class="number">{downloads}</td>
                <td class="number">{bytes(served)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    )}
  </section>
);

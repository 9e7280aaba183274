import { type ComponentChildren, Fragment } from 'preact';
import { part } from '../api/ask.js';
import { Link } from '../router.js';
import { Copy } from './copy.js';
import type { Node } from './node-words.js';
import { PoolBar } from './pool-bar.js';
import { Time } from './words.js';

const Facts = ({ all }: { all: readonly (readonly [string, ComponentChildren])[] }) => (
  <dl class="facts">
    {all.map(([title, fact]) => (
      <Fragment key={title}>
        <dt>{title}</dt>
        <dd>{fact}</dd>
      </Fragment>
    ))}
  </dl>
);

export const NodeAbout = ({ node }: { node: Node }) => (
  <div class="boxes">
    <What node={node} />
    <Pools node={node} />
    <Way node={node} />
    <Asks node={node} />
  </div>
);

function What({
  node: { platform, version, dcs, machines, online, since, reason, inventoried, created },
}: {
  node: Node;
}) {
  const seen = online ? <Time at={inventoried} /> : <Time at={since} />;
  return (
    <section class="box">
      <h2>What it is</h2>
      <Facts
        all={[
          ['Platform', [platform, version].filter(Boolean).join(' ') || 'not known'],
          ['Data centers', dcs.join(', ') || 'none'],
          ['Machines', machines],
          [online === false ? 'Silent' : 'Heard of', online === null ? 'never' : seen],
          ...(reason ? [['Trouble', <span class="error">{reason}</span>] as const] : []),
          ['Inventory', <Time at={inventoried} />],
          ['Added', <Time at={created} />],
        ]}
      />
    </section>
  );
}

const Pools = ({ node: { pools, name } }: { node: Node }) => (
  <section class="box">
    <h2>Its pools</h2>
    {pools.length === 0 && <p>It has told of none yet.</p>}
    {pools.map((pool) => (
      <p key={pool.name}>
        <PoolBar pool={pool} />{' '}
        <Link to={`/nodes/${part(name)}?tab=images&pool=${part(pool.name)}`}>images on {pool.name}</Link>
      </p>
    ))}
  </section>
);

function Way({ node: { connection } }: { node: Node }) {
  if (!connection) {
    return (
      <section class="box">
        <h2>How it is reached</h2>
        <p>Not at all: it has no address. It may fetch images, and nothing is asked of it.</p>
      </section>
    );
  }
  const { address, port, user, host_keys: keys, key, agent, jump, places } = connection;
  return (
    <section class="box">
      <h2>How it is reached</h2>
      <Facts
        all={[
          ['By ssh', `${user}@${address}, port ${port}`],
          ...(jump === null ? [] : [['Through', <Link to={`/nodes/${part(jump)}`}>{jump}</Link>] as const]),
          [
            'With',
            `${key === null ? 'the key of this server' : `secret ${key}`}${agent ? ', and keys of the agent' : ''}`,
          ],
          ...(places.length === 0 ? [] : [['Places', places.join(', ')] as const]),
        ]}
      />
      {keys.length === 0 ? (
        <p>No host key is pinned: the first that is met is kept, and from then on no other is believed.</p>
      ) : (
        <>
          <p>
            Pinned host {keys.length === 1 ? 'key' : 'keys'}: a machine that shows another one is not talked to. After
            it was installed anew, remove the old key by “Change”.
          </p>
          {keys.map((one) => (
            <p key={one}>
              <code>{one}</code> <Copy text={one} what="the host key" />
            </p>
          ))}
        </>
      )}
    </section>
  );
}

const Asks = ({ node: { addresses, known_by_address: isKnown, certificate, vm_rules: rules } }: { node: Node }) => (
  <section class="box">
    <h2>How it is known when it asks</h2>
    <Facts
      all={[
        ['Asks from', addresses.join(', ') || 'anywhere'],
        ['By address', isKnown ? 'asking from there is enough' : 'not enough: it needs a token or a certificate'],
        ['Certificate', certificate === null ? 'none' : <code>{certificate}</code>],
        ...(rules.length === 0 ? [] : [['Its machines stand in', rules.join(', ')] as const]),
      ]}
    />
  </section>
);

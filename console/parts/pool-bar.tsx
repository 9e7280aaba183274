import { Badge } from './badge.js';
import { bytes } from './words.js';
import '../style/fleet.css';

interface Pool {
  name: string;
  /** Null where the node has not told. */
  size: number | null;
  free: number | null;
  health: string | null;
}

interface Props {
  pool: Pool;
  /** In a line of a list: where one points at it, it says its name. */
  isShort?: boolean;
}

const well = /^(online|ok|healthy|active)$/i;

/** How full a pool is, and how well. */
export const PoolBar = ({ pool: { name, size, free, health }, isShort = false }: Props) => (
  <span class="pool-bar" title={name}>
    {!isShort && <span>{name}</span>}
    {size === null || free === null ? (
      <small class="quiet">its space is not known</small>
    ) : (
      <>
        <meter
          aria-label={`used of ${name}`}
          aria-valuetext={`${bytes(free)} of ${bytes(size)} free`}
          min={0}
          max={size || 1}
          low={size * 0.8}
          high={size * 0.95}
          optimum={0}
          value={size - free}
        />
        <small>
          {bytes(free)} {!isShort && `of ${bytes(size)} `}free
        </small>
      </>
    )}
    {health !== null && !well.test(health) && <Badge text={health.toLowerCase()} tone="bad" title="look at the pool" />}
  </span>
);

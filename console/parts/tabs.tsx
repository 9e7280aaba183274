import { Link } from '../router.js';
import '../style/fleet.css';

export interface Tab {
  name: string;
  title: string;
  count?: number | undefined;
}

interface Props {
  label: string;
  tabs: readonly Tab[];
  current: string;
  to: (name: string) => string;
}

/** Parts of a page, each with an address of its own. */
export const Tabs = ({ label, tabs, current, to }: Props) => (
  <nav class="tabs" aria-label={label}>
    {tabs.map(({ name, title, count }) => (
      <Link key={name} to={to(name)} aria-current={name === current ? 'page' : undefined}>
        {title}
        {count !== undefined && <span class="quiet"> {count}</span>}
      </Link>
    ))}
  </nav>
);

import type { Page } from './pages.js';
import { Menu } from './parts/menu.js';
import { Link } from './router.js';
import './style/navigation.css';

interface Props {
  path: string;
  offered: readonly Page[];
}

const groups = ['Images', 'Fleet', 'People', 'Server'] as const;

/** Where one can go: a menu for each group of pages, as there are more than fit into a line. */
export const Navigation = ({ path, offered }: Props) => (
  <nav aria-label="pages">
    {groups.map((group) => {
      const own = offered.filter((page) => page.group === group);
      if (own.length === 0) return null;
      if (own.length === 1) return own.map((page) => <To key={page.path} page={page} path={path} />);
      return (
        // another page closes it
        <Menu key={group + path} label={group} isCurrent={own.some((page) => isAt(page, path))}>
          {own.map((page) => (
            <To key={page.path} page={page} path={path} />
          ))}
        </Menu>
      );
    })}
  </nav>
);

/** What is below a page is reached from it. */
const isAt = ({ path: own }: Page, path: string) => path === own || (own !== '/' && path.startsWith(`${own}/`));

const To = ({ page, path }: { page: Page; path: string }) => (
  <Link to={page.path} aria-current={page.path === path ? 'page' : undefined}>
    {page.title}
  </Link>
);

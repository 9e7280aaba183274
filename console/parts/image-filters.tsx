import { useQuery } from '../router.js';
import { osOf } from './image-words.js';
import { labels } from './label.js';
import { Search } from './search.js';

/** Which of them are shown: by what the server is asked. */
const kinds: Readonly<Record<string, { title: string; query: Record<string, boolean | number> }>> = {
  golden: { title: 'golden', query: { golden: true } },
  ready: { title: 'ready', query: { ready: true } },
  'not-ready': { title: 'not ready', query: { ready: false } },
  pending: { title: 'at work', query: { status: 2 } },
  deprecated: { title: 'deprecated', query: { deprecated: true } },
  current: { title: 'not deprecated', query: { deprecated: false } },
  public: { title: 'public', query: { access: 1 } },
  private: { title: 'private', query: { access: 3 } },
};

/** What is asked for stands in the address: so it can be sent to others. */
export function useImageFilters() {
  const [search, setSearch] = useQuery('search');
  const [label, setLabel] = useQuery('label');
  const [ostype, setOstype] = useQuery('ostype');
  const [tag, setTag] = useQuery('tag');
  const [show, setShow] = useQuery('show');
  const [sort] = useQuery('sort');
  return {
    query: { search, label, ostype, tag, order_by: sort || 'alias', ...kinds[show]?.query },
    isFiltered: [search, label, ostype, tag, show].some((one) => one !== ''),
    search: <Search value={search} change={setSearch} label="Search images" />,
    /** Beside the search. */
    set: [label, ostype, tag, show].filter((one) => one !== '').length,
    filters: (
      <>
        <Search value={tag} change={setTag} label="Tag" />
        <Choice
          label="operating system"
          value={ostype}
          set={setOstype}
          none="any OS"
          choices={[1, 2, 3, 4, 5, 6].map((ostype) => [String(ostype), osOf({ ostype })])}
        />
        <Choice
          label="label"
          value={label}
          set={setLabel}
          none="any label"
          choices={['none', ...labels].map((name) => [name, name])}
        />
        <Choice
          label="which images"
          value={show}
          set={setShow}
          none="any status"
          choices={Object.entries(kinds).map(([name, { title }]) => [name, title])}
        />
      </>
    ),
  };
}

interface ChoiceProps {
  label: string;
  value: string;
  set: (value: string) => void;
  /** What it is called where nothing is chosen; absent where something always is. */
  none?: string;
  choices: readonly (readonly [value: string, title: string])[];
}

export const Choice = ({ label, value, set, none, choices }: ChoiceProps) => (
  <select aria-label={label} value={value} onChange={(event) => set(event.currentTarget.value)}>
    {none !== undefined && <option value="">{none}</option>}
    {choices.map(([one, title]) => (
      <option key={one} value={one}>
        {title}
      </option>
    ))}
  </select>
);

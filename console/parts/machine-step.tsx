import { useState } from 'preact/hooks';
import type { Results } from '../api/types.js';
import { useAsked } from '../api/use-asked.js';
import { Badge } from './badge.js';
import { Failure } from './failure.js';
import { Search } from './search.js';

type Machine = Results['GetMachine'];

/** So many are asked for, of which so many are shown: others are found by their names. */
const MOST = 1000;
const SHOWN = 20;

interface Props {
  node: string;
  /** By uuid or host name. */
  vm: string;
  setNode: (node: string) => void;
  choose: (uuid: string, node: string) => void;
}

const nodeOf = ({ found, node }: Machine) => found?.node ?? node ?? '';
const stateOf = ({ found, state }: Machine) => found?.state ?? state;

/** Which machine. What keeps an image from being made of it is said by the server when it is tried. */
export function MachineStep({ node, vm, setNode, choose }: Props) {
  const [search, setSearch] = useState('');
  const { answer, failure, refresh } = useAsked<Machine[]>('/vm', {
    query: { full: true, limit: MOST, ...((vm || search) && { search: search || (isName(vm) ? vm : '') }) },
    kinds: ['vms'],
  });
  const all = answer?.result ?? [];
  const chosen = all.find((one) => (one.uuid === vm || one.hostname === vm) && (node === '' || nodeOf(one) === node));
  if (failure) return <Failure of={failure} again={refresh} />;
  if (vm !== '' && !answer) return <p class="loading">loading …</p>;
  if (chosen) {
    return (
      <section class="box sending" aria-label="machine">
        <h2>Machine</h2>
        <p>
          <strong>{chosen.hostname}</strong> on {nodeOf(chosen) || 'no node that is known'}{' '}
          <Badge text={stateOf(chosen)} tone={stateOf(chosen) === 'running' ? 'warn' : ''} />{' '}
          <span class="quiet">{chosen.dc ?? 'in no data center'}</span>{' '}
          <button type="button" onClick={() => choose('', '')}>
            Another one
          </button>
        </p>
        {stateOf(chosen) === 'running' && (
          <p class="quiet">It is running: what it has not written to its disks yet is not in a new snapshot.</p>
        )}
        {chosen.dc === null && <p class="error">It belongs to no data center: give it one before.</p>}
        {nodeOf(chosen) === '' && <p class="error">It is not known on which node it runs.</p>}
      </section>
    );
  }
  const nodes = [...new Set(all.map(nodeOf))].filter((name) => name !== '').sort();
  const found = all.filter((one) => node === '' || nodeOf(one) === node);
  return (
    <section class="box sending" aria-label="machine">
      <h2>Machine</h2>
      {vm !== '' && (
        <p class="error">
          There is no machine “{vm}”{node && ` on ${node}`}, or not for you.{' '}
          <button type="button" onClick={() => choose('', '')}>
            Choose another one
          </button>
        </p>
      )}
      <div class="bar">
        <select aria-label="node" value={node} onChange={(event) => setNode(event.currentTarget.value)}>
          <option value="">on any node</option>
          {nodes.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
        <Search value={search} change={setSearch} label="Search machines" />
      </div>
      {answer && found.length === 0 && <p class="empty">No machine is known that is like that.</p>}
      <ul class="steps">
        {found.slice(0, SHOWN).map((one) => (
          <li key={one.uuid + nodeOf(one)}>
            <button type="button" onClick={() => choose(one.uuid, nodeOf(one))}>
              {one.hostname} <span class="quiet">{[stateOf(one), one.dc, nodeOf(one)].filter(Boolean).join(', ')}</span>
            </button>
          </li>
        ))}
      </ul>
      {found.length > SHOWN && <p class="quiet">and {found.length - SHOWN} more: search for the one that you mean</p>}
    </section>
  );
}

/** The search of the server looks at names. */
const isName = (vm: string) => !/^[0-9a-f]{8}-[0-9a-f-]{27}$/i.test(vm);

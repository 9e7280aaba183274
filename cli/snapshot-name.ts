import { CliError } from './errors.js';
import { visible } from './visible.js';

export interface MachineName {
  vm: string;
  /** The node that it runs on, where that is said. */
  node?: string;
}

/** `HOST/VM` or `VM`. Nodes have no slash in their names; what machines have is behind the first one. */
export function machineNamed(text: string): MachineName {
  const slash = text.indexOf('/');
  const [node, vm] = slash < 0 ? [undefined, text] : [text.slice(0, slash), text.slice(slash + 1)];
  if (vm === '' || node === '') throw new CliError(`"${visible(text)}" is not of the form VM or HOST/VM`);
  return { vm, ...(node !== undefined && { node }) };
}

/** `HOST/VM@SNAPSHOT` or `VM@SNAPSHOT`. */
export function snapshotNamed(text: string): MachineName & { snapshot: string } {
  const at = text.indexOf('@');
  const snapshot = text.slice(at + 1);
  if (at < 1 || snapshot === '') {
    throw new CliError(`"${visible(text)}" names no snapshot of a machine`, {
      hint: 'it is VM@SNAPSHOT, or HOST/VM@SNAPSHOT; "slipway snapshot list VM" shows what there is',
    });
  }
  return { ...machineNamed(text.slice(0, at)), snapshot };
}

export const snapshotPath = ({ vm, snapshot }: { vm: string; snapshot: string }) =>
  `/api/vm/${encodeURIComponent(vm)}/snapshot/${encodeURIComponent(snapshot)}`;

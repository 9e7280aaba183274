/** What `from=` takes: an address, a network, a name, patterns of these. */
export const FROM = /^!?[A-Za-z0-9.:*?/_-]{1,255}$/;

interface Allowances {
  /** Whence it is good; from everywhere where there are none. */
  from: readonly string[];
  /** Are other nodes reached through this one? */
  jump: boolean;
}

/** A line of `authorized_keys` that gives commands, and nothing else that ssh could. */
export function authorizedLine(publicKey: string, { from, jump }: Allowances): string {
  const options = [
    'restrict',
    ...(jump ? ['port-forwarding'] : []),
    ...(from.length > 0 ? [`from="${from.join(',')}"`] : []),
  ];
  return `${options.join(',')} ${publicKey} slipway`;
}

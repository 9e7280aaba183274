const numbers = new Intl.Collator('en', { numeric: true });

/** Versions as people count them: 1.10.0 comes after 1.9.0, and 2.0.0-rc1 before 2.0.0. */
export function compareVersions(a: string, b: string): number {
  const [mainOfA, tailOfA] = parts(a);
  const [mainOfB, tailOfB] = parts(b);
  const compared = numbers.compare(mainOfA, mainOfB);
  if (compared !== 0) return compared;
  if (tailOfA === undefined || tailOfB === undefined)
    return Number(tailOfA === undefined) - Number(tailOfB === undefined);
  return numbers.compare(tailOfA, tailOfB);
}

function parts(version: string): [main: string, tail: string | undefined] {
  const at = version.indexOf('-');
  return at === -1 ? [version, undefined] : [version.slice(0, at), version.slice(at + 1)];
}

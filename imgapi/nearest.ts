/** What a mistyped name was meant to be, to be appended to the refusal. What all names begin with does not count. */
export function didYouMean(given: string, known: readonly string[], prefix = ''): string {
  const bare = (name: string) => name.slice(prefix.length).toLowerCase();
  const most = (name: string) => Math.max(1, Math.min(bare(given).length, bare(name).length) / 3);
  const [nearest] = known
    .map((name) => ({ name, distance: distance(bare(given), bare(name)) }))
    .filter(({ name, distance }) => distance <= most(name))
    .sort((a, b) => a.distance - b.distance);
  return nearest ? `; did you mean ${nearest.name}?` : '';
}

/** How many letters have to be added, left out, changed or swapped with their neighbour. */
function distance(from: string, to: string): number {
  const rows: number[][] = [[...Array(to.length + 1).keys()]];
  const at = (row: number, column: number) => rows[row]?.[column] ?? Number.POSITIVE_INFINITY;
  for (let i = 1; i <= from.length; i += 1) {
    rows.push([i]);
    for (let j = 1; j <= to.length; j += 1) {
      const isSame = from[i - 1] === to[j - 1];
      const isSwapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      rows[i]?.push(
        Math.min(
          at(i - 1, j) + 1,
          at(i, j - 1) + 1,
          at(i - 1, j - 1) + (isSame ? 0 : 1),
          isSwapped ? at(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
  }
  return at(from.length, to.length);
}

/**
 * The rows of a text table. Its first line names the columns; cells stand at least two spaces apart. A cell of `-` is
 * empty.
 */
export function table<Column extends string>(text: string): Record<Column, string>[] {
  const [head = [], ...rows] = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => line.split(/ {2,}/));
  return rows.map((cells) => {
    if (cells.length !== head.length) throw new Error(`not ${head.length} cells: ${cells.join(' | ')}`);
    return Object.fromEntries(head.map((name, at) => [name, cells[at] === '-' ? '' : cells[at]])) as Record<
      Column,
      string
    >;
  });
}

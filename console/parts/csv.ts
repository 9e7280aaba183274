/** What a spreadsheet would take for a formula; nobody's name is to be one. */
const FORMULA = /^[=+\-@\t\r]/;

const cellOf = (value: unknown): string => {
  const text = value === undefined || value === null ? '' : String(value);
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

/** A row as RFC 4180 writes it. */
export const csvRow = (cells: readonly unknown[]): string => `${cells.map(cellOf).join(',')}\r\n`;

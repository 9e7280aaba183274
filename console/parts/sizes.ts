const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** `1.5 GiB` as a number of bytes; what is no size stays as it was typed, so that the server says what is wrong. */
export function bytesFrom(text: string): number | string | null {
  const typed = text.trim();
  if (typed === '') return null;
  const [, number, unit = 'B'] = /^(\d+(?:\.\d+)?)\s*([A-Za-z]+)?$/.exec(typed) ?? [];
  const power = UNITS.findIndex((one) => one.toLowerCase() === unit.toLowerCase());
  return number === undefined || power < 0 ? typed : Math.round(Number(number) * 1024 ** power);
}

/** A number of bytes to be typed over: in the largest unit that says it exactly. */
export function sizeOf(count: number | null): string {
  if (count === null) return '';
  let value = count;
  let unit = 0;
  while (value >= 1024 && value % 1024 === 0 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return unit === 0 ? String(value) : `${value} ${UNITS[unit]}`;
}

/** As many things as a node can tell of at once. What it prints is bounded, but much of little takes far more memory. */
const MOST = 500_000;

/** Throws SyntaxError where it is no JSON, or holds more objects and lists than a node can have. */
export function parseJson(printed: string): unknown {
  checkCount(printed, '{');
  checkCount(printed, '[');
  return JSON.parse(printed);
}

/** Throws SyntaxError where there are more than a node can have. */
export function partsOf(printed: string, separator: '\n' | '\0'): string[] {
  checkCount(printed, separator);
  return printed.split(separator);
}

function checkCount(printed: string, letter: string): void {
  let count = 0;
  for (let at = printed.indexOf(letter); at >= 0; at = printed.indexOf(letter, at + 1)) {
    count += 1;
    if (count > MOST) throw new SyntaxError(`it tells of more than ${MOST} things`);
  }
}

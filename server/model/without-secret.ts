/** So many of its characters in a row give a secret away. */
const PART = 8;

/** Nothing of the secret is left, wherever a text was cut that it stood in. */
export function withoutSecret(text: string, secret: string): string {
  const parts = Array.from({ length: Math.max(0, secret.length - PART + 1) }, (_, at) => secret.slice(at, at + PART));
  const hidden = new Set<number>();
  for (const part of parts) {
    for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + 1)) {
      for (let i = at; i < at + PART; i += 1) hidden.add(i);
    }
  }
  return [...text.split('').entries()]
    .map(([at, letter]) => (hidden.has(at) ? (hidden.has(at - 1) ? '' : '…') : letter))
    .join('');
}

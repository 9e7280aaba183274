/** What a browser keeps for a person: choices that are no secrets. It may refuse to; then nothing is remembered. */
const KEY = 'slipway:';

export function remembered<T>(name: string): T | undefined {
  try {
    const text = localStorage.getItem(KEY + name);
    return text === null ? undefined : (JSON.parse(text) as T);
  } catch {
    return undefined;
  }
}

export function remember(name: string, value: unknown): void {
  try {
    localStorage.setItem(KEY + name, JSON.stringify(value));
  } catch {
    // full, or not allowed
  }
}

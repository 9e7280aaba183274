/** Keys that an object has twice: JSON.parse takes the last, in silence. The text is JSON that has been parsed. */
export function keysTwice(json: string): string[] {
  const open: Set<string>[] = [];
  const twice: string[] = [];
  for (const [token, quoted] of json.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (quoted !== undefined) {
      const key: string = JSON.parse(quoted);
      if (open.at(-1)?.has(key)) twice.push(key);
      open.at(-1)?.add(key);
    }
  }
  return twice;
}

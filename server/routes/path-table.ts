interface Row<T> {
  method: string;
  segments: readonly string[];
  value: T;
}

export interface Found<T> {
  value: T;
  params: Record<string, string>;
}

/** Where a method and a path lead, first row first. A segment such as `:uuid` stands for any that is not empty. */
export class PathTable<T> {
  /** By the number of their segments. */
  readonly #rows = new Map<number, Row<T>[]>();

  add(method: string, path: string, value: T): void {
    const segments = path.split('/');
    const rows = this.#rows.get(segments.length) ?? [];
    this.#rows.set(segments.length, [...rows, { method, segments, value }]);
  }

  find(method: string, path: string): Found<T> | undefined {
    const segments = path.split('/');
    const row = this.#rows.get(segments.length)?.find((row) => row.method === method && fits(row, segments));
    return row && { value: row.value, params: paramsOf(row, segments) };
  }

  methodsAt(path: string): string[] {
    const segments = path.split('/');
    const rows = this.#rows.get(segments.length) ?? [];
    return [...new Set(rows.filter((row) => fits(row, segments)).map(({ method }) => method))].sort();
  }
}

const isParameter = (segment: string) => segment.startsWith(':');

function fits<T>(row: Row<T>, segments: readonly string[]): boolean {
  return row.segments.every((segment, n) => segment === segments[n] || (isParameter(segment) && segments[n] !== ''));
}

function paramsOf<T>(row: Row<T>, segments: readonly string[]): Record<string, string> {
  const params: Record<string, string> = {};
  for (const [n, segment] of row.segments.entries()) {
    if (isParameter(segment)) params[segment.slice(1)] = decodeURIComponent(segments[n]!);
  }
  return params;
}

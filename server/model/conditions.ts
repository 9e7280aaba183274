/** What a conditional request is held against. */
export interface Current {
  etag: string;
  modified?: Date | undefined;
}

export interface Conditions {
  ifMatch?: string | undefined;
  ifNoneMatch?: string | undefined;
  ifModifiedSince?: string | undefined;
  ifUnmodifiedSince?: string | undefined;
}

/** RFC 9110, section 13.2.2. `unchanged`: a GET is answered with 304, anything else is refused like `failed`. */
export function judge(conditions: Conditions, { etag, modified }: Current): 'proceed' | 'unchanged' | 'failed' {
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = conditions;
  if (ifMatch !== undefined) {
    if (!names(ifMatch, etag)) return 'failed';
  } else if (isAfter(modified, ifUnmodifiedSince)) return 'failed';

  if (ifNoneMatch !== undefined) return names(ifNoneMatch, etag) ? 'unchanged' : 'proceed';
  return isAfter(modified, ifModifiedSince) === false ? 'unchanged' : 'proceed';
}

/** Does an If-Range header, a tag or a date, still stand for what is current? */
export function isStillCurrent(ifRange: string, { etag, modified }: Current): boolean {
  if (names(ifRange, etag)) return !ifRange.includes('W/');
  return modified !== undefined && seconds(modified) === seconds(new Date(ifRange));
}

/** Tags are compared without quotes and weakness, because old clients send back the bare value. */
function names(header: string, etag: string): boolean {
  return header
    .split(',')
    .map((tag) =>
      tag
        .trim()
        .replace(/^W\//, '')
        .replace(/^"(.*)"$/, '$1'),
    )
    .some((tag) => tag === '*' || tag === etag);
}

/** Undefined where there is nothing to compare: no date, or one that can not be read. */
function isAfter(modified: Date | undefined, since: string | undefined): boolean | undefined {
  if (modified === undefined || since === undefined) return undefined;
  const limit = seconds(new Date(since));
  return Number.isNaN(limit) ? undefined : seconds(modified) > limit;
}

const seconds = (date: Date) => Math.floor(date.getTime() / 1000);

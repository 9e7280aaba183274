import type { ExecutionContext } from 'ava';
import { ImgapiError } from '../../imgapi/errors.js';

/** `Code field:Code field:Code`, as a table of tests spells a refusal; the empty string when there was none. */
export function refusalOf(t: ExecutionContext, act: () => unknown): string {
  try {
    act();
    return '';
  } catch (err) {
    if (!(err instanceof ImgapiError)) {
      t.fail(`no refusal but ${err instanceof Error ? err.stack : String(err)}`);
      return 'crash';
    }
    return [err.code, ...(err.errors ?? []).map(({ field, code }) => `${field}:${code}`)].join(' ');
  }
}

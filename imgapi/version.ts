import satisfies from 'semver/functions/satisfies.js';
import { ImgapiError } from './errors.js';
import { remembering } from './remembering.js';

/** Old clients name no version. */
const UNNAMED = '~1';

/** Of the headers that are remembered, in characters. */
const MOST = 10_000;

const offered = remembering(
  (range: string) => ({ one: satisfies('1.0.0', range), two: satisfies('2.0.0', range) }),
  MOST,
  ({ length }) => length + 1,
);

/** What the Accept-Version header asks for. Version 2 shows channels; there is no other difference. */
export function acceptVersion(header: string | undefined): { channels: boolean } {
  const range = header || UNNAMED;
  const { one, two } = offered(range);
  if (one || two) return { channels: two };
  throw new ImgapiError('InvalidVersion', `version ${range} is not offered, only 1.0.0 and 2.0.0`);
}

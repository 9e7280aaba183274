import satisfies from 'semver/functions/satisfies.js';
import { ImgapiError } from './errors.js';

/** Old clients name no version. */
const UNNAMED = '~1';

/** What the Accept-Version header asks for. Version 2 shows channels; there is no other difference. */
export function acceptVersion(header: string | undefined): { channels: boolean } {
  const range = header || UNNAMED;
  const channels = satisfies('2.0.0', range);
  if (channels || satisfies('1.0.0', range)) return { channels };
  throw new ImgapiError('InvalidVersion', `version ${range} is not offered, only 1.0.0 and 2.0.0`);
}

import { isRecord } from '../../imgapi/checks.js';
import { type Call, Exchange, type ExchangeOptions } from '../../imgapi/exchange.js';
import { MOST_OF_A_MANIFEST, type Source } from '../sources.js';
import { httpFile } from './http-file.js';

/** One image, by the addresses of its manifest and of its file. */
export function urlSource(
  { manifest, file }: { manifest?: ExchangeOptions | undefined; file: ExchangeOptions },
  call: Pick<Call, 'redirects'> = {},
): Source {
  const hostOf = ({ url }: ExchangeOptions) => new URL(url).host;
  return {
    what: hostOf(manifest ?? file),
    describe: async (_, signal) => {
      if (!manifest) throw new Error(`${hostOf(file)} has a file without a manifest`);
      const exchange = new Exchange(manifest);
      const found = await exchange.json('GET', restOf(manifest), { ...call, most: MOST_OF_A_MANIFEST, signal });
      if (!isRecord(found)) throw exchange.answeredBadly(200, 'sent no JSON object');
      return found;
    },
    file: (uuid) => httpFile(new Exchange(file), `${hostOf(file)}, the file of image ${uuid}`, restOf(file), call),
  };
}

/** What an exchange leaves of its address. */
function restOf({ url }: ExchangeOptions): string {
  const { pathname, search } = new URL(url);
  return `${pathname.endsWith('/') ? '/' : ''}${search}`;
}

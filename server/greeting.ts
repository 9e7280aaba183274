import type { X509Certificate } from 'node:crypto';
import type { Settings } from './config/settings.js';
import type { Deps } from './deps.js';
import { fitsMode } from './model/visibility.js';
import { selfSignedFiles } from './tls/self-signed.js';

export interface Greeting {
  settings: Settings;
  /** Where the server listens; who tries it, tries the first. */
  urls: readonly string[];
  /** Absent where another daemon has it. */
  tokenFile: string | undefined;
  images: number;
  certificate: X509Certificate | undefined;
}

/** What a person who starts the daemon wants to know. Its first line is read by programs too. */
export function greet({ settings, urls, tokenFile, images, certificate }: Greeting): void {
  const { mode, authType, data } = settings;
  const token = tokenFile === undefined ? `$TOKEN` : `$(cat ${tokenFile})`;
  const ways = urls.map((url) => wayTo(url, settings));
  const curls = ways.map(
    ({ to, trust }) =>
      (path: string, options = '') =>
        `  curl ${trust.curl}${options}${to}${path}`,
  );
  const credentials = authType === 'none' ? '' : `-H "Authorization: Bearer ${token}" `;
  const [curl] = curls;
  const lines = [
    `Slipway is listening on ${urls.join(' and ')} (mode ${mode}, ${images} ${images === 1 ? 'image' : 'images'}, data in ${data})`,
    '',
    'Try next:',
    ...[curl?.('/ping'), curl?.('/images'), curl?.('/state', credentials), ...curls.slice(1).map((to) => to('/ping'))],
    ...(authType === 'none'
      ? []
      : ways
          .slice(0, 1)
          .map(({ to, trust }) => `  slipway login --url ${to} ${trust.slipway}--token-file ${tokenFile ?? 'FILE'}`)),
    `  ${ways[0]?.to}/console in a browser${authType === 'none' ? '' : ', with a password or that token'}`,
    ...(tokenFile === undefined
      ? ['', "The first administrator's token is with the daemon that made it, in DATA/admin-token."]
      : []),
    ...(certificate ? ['', `SHA-256 fingerprint of the certificate: ${certificate.fingerprint256}`] : []),
  ];
  console.log(lines.join('\n'));
}

/** A certificate that nobody else has signed is named; it is good for names, not for the address that stands for all. */
function wayTo(url: string, { tlsSelfSigned, data }: Settings) {
  const isOurs = tlsSelfSigned && url.startsWith('https:');
  if (!isOurs) return { to: url, trust: { curl: '', slipway: '' } };
  const { certificate } = selfSignedFiles(data);
  return {
    to: url.replace(/\/\/(0\.0\.0\.0|\[::\]):/, '//localhost:'),
    trust: { curl: `--cacert ${certificate} `, slipway: `--ca ${certificate} ` },
  };
}

const isLoopback = (host: string) => host === 'localhost' || host.startsWith('127.') || ['::1', '[::1]'].includes(host);

/** What an operator may not have meant. */
export function warn(
  { log, listing, policy, catalog }: Deps,
  { address, port, publicUrl, authType, mode }: Settings,
): void {
  const isLocal = isLoopback(address);
  if (!isLocal && port !== 'off') {
    log.warn(
      { address, port },
      'tokens sent to the plain port can be read on their way: put TLS in front, or port "off"',
    );
  }
  if (publicUrl?.startsWith('http:') && !isLoopback(new URL(publicUrl).hostname)) {
    log.warn({ publicUrl }, 'publicUrl is plain HTTP: tokens, those in paths of nodes too, can be read on their way');
  }
  if (!isLocal && authType === 'none') log.warn('authType is none: whoever reaches this address may change everything');
  const { self, all } = catalog.members;
  if (all().some(({ id, name }) => name === self.name && id !== self.id)) {
    log.warn({ memberName: self.name }, 'another daemon has the same memberName: give each its own');
  }
  const unchanneled = policy.channels.length > 0 ? listing.sorted.filter(({ channels }) => !channels).length : 0;
  if (unchanneled > 0) {
    log.warn(
      { images: unchanneled },
      'images that are in no channel are hidden: start once with --fill-channel NAME to put them into one',
    );
  }
  const hidden = listing.sorted.filter((image) => !fitsMode(mode, image)).length;
  if (hidden > 0) log.warn({ mode, hidden }, 'images that may not be shown in this mode are hidden');
}

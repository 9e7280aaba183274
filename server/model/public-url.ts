import { ImgapiError } from '../../imgapi/errors.js';
import { addressesIn } from './closed-addresses.js';
import { addressMatcher } from './networks.js';

/** They mean the machine that asks. */
const isSelf = addressMatcher(['127.0.0.0/8', '::1', '0.0.0.0/8', '::']);

/** Where nodes find this server. Throws NoPublicUrl where nobody has said it, or said what they would find themselves by. */
export function urlForNodes(publicUrl: string | undefined): string {
  if (publicUrl === undefined) {
    throw new ImgapiError('NoPublicUrl', 'publicUrl is not set: say by which URL nodes reach this server');
  }
  if (findsItself(publicUrl)) {
    const message = `publicUrl is ${publicUrl}, by which every node finds itself: say by which URL nodes reach this server`;
    throw new ImgapiError('NoPublicUrl', message);
  }
  return publicUrl;
}

/** Does whoever follows it come back to itself? */
export function findsItself(url: string): boolean {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  return host === 'localhost' || host.endsWith('.localhost') || addressesIn(host).some(isSelf);
}

/** In front of every path, where a proxy has put the server below one. */
export const prefixOf = ({ publicUrl }: { publicUrl: string | undefined }) =>
  publicUrl === undefined ? '' : new URL(publicUrl).pathname.replace(/\/+$/, '');

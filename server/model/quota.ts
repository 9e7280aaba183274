import { ImgapiError } from '../../imgapi/errors.js';
import type { Growth, Usage } from './usage.js';

/** Any number where one is null. */
export interface Limits {
  images: number | null;
  bytes: number | null;
}

export const isLimited = ({ images, bytes }: Limits) => images !== null || bytes !== null;

/** How many bytes may still come, beside those that are there and those that are on their way. */
export const bytesLeft = ({ bytes }: Limits, used: Pick<Usage, 'bytes'>, reserved: number) =>
  bytes === null ? Number.POSITIVE_INFINITY : Math.max(0, bytes - used.bytes - reserved);

/** `whose` is as people call it. */
export function checkFits(
  whose: string,
  limits: Limits,
  used: Pick<Usage, 'images' | 'bytes'>,
  reserved: number,
  more: Pick<Growth, 'images' | 'bytes'>,
): void {
  if (limits.images !== null && more.images > 0 && used.images + more.images > limits.images) {
    const most = `${limits.images} ${limits.images === 1 ? 'image' : 'images'}`;
    throw exceeded(`${whose} may have ${most}, and has ${used.images}`);
  }
  const left = bytesLeft(limits, used, reserved);
  if (more.bytes > left) {
    throw exceeded(`${whose} may have ${limits.bytes} bytes: ${more.bytes} are needed, ${left} are left`);
  }
}

const exceeded = (message: string) => new ImgapiError('QuotaExceeded', message);

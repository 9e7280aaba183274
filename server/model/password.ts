import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';

/** What a guess costs: 32 MiB, three times over. Hashes that were made at another cost stay good. */
const COST = { ln: 15, r: 8, p: 3 };
const LENGTH = 32;

const FORM = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]+={0,2})\$([A-Za-z0-9+/]+={0,2})$/;

export const PASSWORD = { least: 8, most: 256 };

/** With its salt and cost, as it is kept. */
export async function hashPassword(password: string, cost = COST): Promise<string> {
  const salt = randomBytes(16);
  const hash = await derive(password, salt, cost);
  return `$scrypt$ln=${cost.ln},r=${cost.r},p=${cost.p}$${salt.toString('base64')}$${hash.toString('base64')}`;
}

/** Takes as long where there is no password, and tells nothing of why it does not match. */
export async function matchesPassword(password: string, kept = NOBODYS): Promise<boolean> {
  const { cost, salt, hash } = read(kept);
  const derived = await derive(password, salt, cost);
  return timingSafeEqual(derived, hash) && kept !== NOBODYS;
}

/** Was it made at a cost that is not today's? */
export function isOutdated(kept: string): boolean {
  const { cost } = read(kept);
  return cost.ln !== COST.ln || cost.r !== COST.r || cost.p !== COST.p;
}

function read(kept: string) {
  const [, ln, r, p, salt = '', hash = ''] = FORM.exec(kept) ?? [];
  if (hash === '') throw new Error('a password is kept in a form that is not known');
  return {
    cost: { ln: Number(ln), r: Number(r), p: Number(p) },
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(hash, 'base64'),
  };
}

const NOBODYS = `$scrypt$ln=${COST.ln},r=${COST.r},p=${COST.p}$${Buffer.alloc(16).toString('base64')}$${Buffer.alloc(LENGTH).toString('base64')}`;

function derive(password: string, salt: Buffer, { ln, r, p }: typeof COST): Promise<Buffer> {
  const N = 2 ** ln;
  const options: ScryptOptions = { N, r, p, maxmem: 129 * N * r + 1024 * p * r };
  return new Promise((resolve, reject) => {
    // the same characters can be typed as different code points
    scrypt(password.normalize('NFKC'), salt, LENGTH, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

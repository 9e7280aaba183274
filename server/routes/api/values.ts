import { z } from 'zod';

/** How command lines spell what JSON and queries have no way to say, or say in another one. */

const spelled: Record<string, boolean> = {
  '': true,
  true: true,
  True: true,
  '1': true,
  false: false,
  False: false,
  '0': false,
};

/** In a query: given without a value it is true. */
export const truth = z
  .enum(Object.keys(spelled), 'is neither true nor false')
  .transform((text) => spelled[text] === true);

/** Off where it is not given. */
export const flag = truth.optional().transform((given) => given ?? false);

/** A list has so many members. */
const MOST = 1000;

/** A list, also as text with commas; `of` says of what, where one does not belong there. */
export const listOf = <T extends z.ZodType<unknown, string>>(item: T, of = 'names') =>
  z.union(
    [
      z.array(item).max(MOST),
      z
        .string()
        .transform((text) => text.split(',').flatMap((part) => part.trim() || []))
        .pipe(z.array(item).max(MOST)),
    ],
    `is not a list of ${of}, ${MOST} at most`,
  );

/** A whole number, also as text. */
export const whole = (least: number, most = Number.MAX_SAFE_INTEGER) =>
  z.union(
    [
      z.number().int().min(least).max(most),
      z
        .string()
        .regex(/^\d{1,16}$/)
        .transform(Number)
        .pipe(z.number().int().min(least).max(most)),
    ],
    `is not a whole number from ${least} to ${most}`,
  );

/** In one line, and without what could be taken for markup or for more than text. */
export const line = (most: number) =>
  z
    .string()
    .regex(/^[^\x00-\x1f\x7f<>%$&;'"]*$/, 'holds a character that is not allowed')
    .max(most, `is longer than ${most} characters`);

/** Of another server; what proves who asks has no place in it. */
export const remoteUrl = z
  .url({ protocol: /^https?$/, hostname: z.regexes.hostname, error: 'is not an http or https URL' })
  .max(1024)
  .refine((text) => !/^[^/]*\/\/[^/]*@/.test(text), 'holds credentials');

/** Where a body names nothing, or is not there at all. */
export const emptyBody = z.strictObject({}).optional();

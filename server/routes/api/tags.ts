import { z } from 'zod';
import { ImgapiError, invalidInput } from '../../../imgapi/errors.js';
import type { Context } from '../../context.js';
import type { Deps } from '../../deps.js';
import { type Expected, expectedBy, isExpected } from '../../model/record-tag.js';
import { type Check, conditionalCatalog, type Finding, foundIfThere } from '../../operations/conditional-catalog.js';
import type { Description, Handler } from '../route.js';

/** What is shown of a record, with the tag of that record. */
export class Tagged {
  constructor(
    readonly tag: string,
    readonly result: unknown,
  ) {}
}

const IF_MATCH = 'If-Match';
const IF_NONE_MATCH = 'If-None-Match';

/** What calls with tags read and tell, for the document. */
export const takenWithTags = {
  [IF_MATCH]: 'tags, or *: refused with 412 unless what is meant has one of them; not needed',
};
export const takenToMake = {
  [IF_NONE_MATCH]: '*: refused with 412 where there is one already; not needed',
};
export const toldWithTags = { ETag: 'of what is stored, for If-Match; another one after every change' };

/** Whole objects in lists: those that hold them have their tags beside them. */
export const inList = <Shape extends z.core.$ZodLooseShape>(shown: z.ZodObject<Shape, z.core.$strict>) =>
  shown.extend({ etag: z.string().describe('its tag, as If-Match takes it') });

export const listed = <Shown extends object>({ recordTag }: Pick<Deps, 'recordTag'>, record: object, shown: Shown) => ({
  ...shown,
  etag: recordTag(record),
});

/** What the request expects, if anything. */
export function expectedIn(
  ctx: Context,
  { name, tagged, makes }: Pick<Description, 'name' | 'tagged' | 'makes'>,
): Expected | undefined {
  const { 'if-match': match, 'if-none-match': none } = ctx.headers;
  // What is only looked at is told anew each time: an answer can differ though the record is the same.
  if (none !== undefined && !['GET', 'HEAD'].includes(ctx.method)) {
    if (!makes) throw wrong(IF_NONE_MATCH, `has no meaning for ${name}`);
    if (none.trim() !== '*') throw wrong(IF_NONE_MATCH, 'is not *');
    if (match !== undefined) throw wrong(IF_NONE_MATCH, `contradicts ${IF_MATCH}`);
    return 'nothing';
  }
  if (match === undefined) return undefined;
  if (!tagged) throw wrong(IF_MATCH, `has no meaning for ${name}, which has no tags`);
  const expected = expectedBy(match);
  if (expected === undefined) throw wrong(IF_MATCH, 'is neither * nor tags in double quotes, with commas between them');
  return expected;
}

const wrong = (field: string, what: string) => invalidInput([{ field, code: 'Invalid', message: `${field} ${what}` }]);

/** Of a call that has no tags: nobody is to believe that If-Match or If-None-Match has helped. */
export const untagged =
  (description: Description, handler: Handler): Handler =>
  (ctx, deps) => {
    expectedIn(ctx, description);
    return handler(ctx, deps);
  };

export function checkExpected(ctx: Context, expected: Expected | undefined, tag: string | undefined): void {
  if (expected === undefined || isExpected(expected, tag)) return;
  const name = Object.values(ctx.params).at(-1) ?? '';
  const what = expected === 'nothing' ? 'is there already' : 'was changed meanwhile';
  throw new ImgapiError('PreconditionFailed', `"${name}" ${what}: its tag is ${tag} by now`, {
    headers: { ...(tag && { ETag: tag }) },
  });
}

/** For a call that changes a record: it is held against what is expected, and the tag that is left goes into the answer. */
export async function heldTo(ctx: Context, deps: Deps, expected: Expected | undefined, find: Finding): Promise<Deps> {
  const { catalog, recordTag: tagOf } = deps;
  const check: Check | undefined =
    expected &&
    (async (reader) => {
      const found = await (expected === 'nothing' ? foundIfThere(find, reader) : find(reader));
      checkExpected(ctx, expected, found && tagOf(found));
    });
  // Also before anything that takes long, or is refused for another reason.
  await check?.(catalog);
  const onLeft = (tag: string | undefined) => (tag === undefined ? ctx.remove('ETag') : ctx.set('ETag', tag));
  return { ...deps, catalog: conditionalCatalog(catalog, { find, tagOf, check, onLeft }) };
}

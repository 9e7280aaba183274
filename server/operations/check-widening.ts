import { ImgapiError } from '../../imgapi/errors.js';
import type { Reader } from '../../storage/catalog.js';
import { audienceOf, isAmong, type Part } from '../model/audience.js';
import { isOperator } from '../model/caller.js';
import { modeLaw } from '../model/modes.js';
import { answer, mayPublish, type Operation } from '../model/permissions.js';
import { agreeing, placementOf, type RegisteredImage } from '../model/registration.js';
import { canRead, isIn, type Viewer } from '../model/visibility.js';
import { originsOf } from './origins.js';

/**
 * Whoever shows an image to more people (by access, groups, ACL, data centers, owner or activation) shows them its
 * origins with it, because they are needed to use it: that takes the same right on every origin that they could not read
 * before. `before` is absent for a new image. Management calls it, too, inside the write that makes the change; an
 * operator who acts for nobody is never refused.
 */
export async function checkWidening(
  reader: Reader,
  viewer: Viewer,
  before: RegisteredImage | undefined,
  wanted: RegisteredImage,
): Promise<void> {
  if (!modeLaw[viewer.mode].fleet) return;
  const after = agreeing(before, wanted);
  checkPublishing(viewer, before, after);
  const isSameChain = before !== undefined && before.origin === after.origin;
  await checkOrigins(reader, viewer, isSameChain ? audienceOf(before, viewer.open) : [], after);
}

/** To show an image to the whole world is a right of its own. */
export function checkPublishing(viewer: Viewer, before: RegisteredImage | undefined, after: RegisteredImage): void {
  if (mayPublish(viewer, before, after)) return;
  throw new ImgapiError('NotPermitted', `to show image ${after.uuid} to everybody takes the right to share publicly`);
}

/** `known`: who can read the origins of the image already. */
export async function checkOrigins(
  reader: Reader,
  viewer: Viewer,
  known: readonly Part[],
  after: RegisteredImage,
): Promise<void> {
  if (isOperator(viewer.caller) && viewer.account === undefined) return;
  const actor = viewer.account ?? viewer.caller.user?.uuid;
  // Whoever acts may use the origin, or would have been refused before.
  let uninformed = audienceOf(after, viewer.open).filter(
    (part) => !isAmong(part, known) && !(part.who === 'user' && part.name === actor),
  );
  const refusing: RegisteredImage[] = [];
  for await (const { record } of originsOf(reader, after)) {
    if (!record || uninformed.length === 0) break;
    const audience = audienceOf(record, viewer.open);
    // Whoever reads this origin reads what it builds on.
    uninformed = uninformed.filter((part) => !isAmong(part, audience));
    if (uninformed.some((part) => !mayShow(viewer, record, part))) refusing.push(record);
  }
  if (refusing.length > 0) throw notWithoutOrigins(viewer, after, refusing);
}

function mayShow({ caller, account }: Viewer, origin: RegisteredImage, part: Part): boolean {
  if (isOperator(caller)) return origin.owner === account;
  return answer(caller, showing(origin, part), { image: origin }) === 'yes';
}

/** By which operation an image would be shown to them itself. */
function showing(origin: RegisteredImage, { who, where }: Part): Operation {
  if (who === 'everybody') return 'share publicly';
  return where === undefined || isIn(placementOf(origin), new Set([where])) ? 'update' : 'attach';
}

function notWithoutOrigins(viewer: Viewer, { uuid }: RegisteredImage, refusing: readonly RegisteredImage[]) {
  const visible = refusing.filter((origin) => canRead(viewer, origin)).map((origin) => origin.uuid);
  const named = visible.length > 0 ? visible.join(', ') : 'which others own';
  const code = isOperator(viewer.caller) ? 'NotImageOwner' : 'NotPermitted';
  return new ImgapiError(code, `image ${uuid} can not be opened to others without its origin ${named}`);
}

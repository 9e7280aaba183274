import { Fact } from './fact.js';
import { accessOf } from './image-words.js';
import type { Image } from './use-image.js';

const called = (one: string, names: readonly string[]) => `${one}${names.length > 1 ? 's' : ''} ${names.join(', ')}`;

/** In which data centers it can be used, in words. */
export function whereOf({ global, dc_bound: isBound, dcs }: Image): string {
  if (global) return 'all data centers, those to come included';
  if (dcs.length === 0) return 'no data center that you administer';
  if (isBound) return `only data center ${dcs[0]}: it is bound to it`;
  return called('data center', dcs);
}

/** Who can use it there, in words. */
function whoOf({ access, groups, users }: Image): string {
  const beside = users.length > 0 ? `, and ${called('user', users)}` : '';
  if (access === 4) return 'nobody any more: it is kept for the machines that use it';
  if (access === 9) return 'the system';
  if (groups !== null)
    return `the members of ${groups.length > 0 ? called('group', groups) : 'groups of others'}${beside}`;
  if (access === 1) return 'everybody there';
  return `its owner and the administrators there${beside}`;
}

/** With whom it is shared: how that is changed is found beside it. */
export const Sharing = ({ image }: { image: Image }) => (
  <section class="box">
    <h2>Who can use it</h2>
    <dl class="facts">
      <Fact name="Who">
        <bdi>{whoOf(image)}</bdi>
      </Fact>
      <Fact name="Where">{whereOf(image)}</Fact>
      <Fact name="Access">{accessOf(image)}</Fact>
    </dl>
    {image.may.includes('share') && (
      <p class="hint">
        Share it under Actions: with groups and users,{' '}
        {image.may.some((action) => action === 'attach' || action === 'unglobalize') && 'with one data center only, '}
        or with everybody (make it public).
      </p>
    )}
  </section>
);

import { useRef } from 'preact/hooks';
import { lookAgain } from '../api/live.js';
import { askOf, type ShownImage } from './image-ask.js';
import { Mark } from './label-mark.js';
import { Menu } from './menu.js';
import { toast } from './toasts.js';

const colours = ['blue', 'yellow', 'green', 'orange', 'purple', 'red', 'gray', 'white'] as const;
/** In the order in which they are offered. */
export const labels = [
  ...colours,
  ...['blue', 'green', 'orange', 'purple', 'red'].map((colour) => `flag-${colour}`),
  ...['asterisk', 'bug', 'key', 'lightbulb', 'star'],
  ...['blue', 'green', 'orange', 'purple', 'red', 'yellow'].map((colour) => `tag-${colour}`),
];

/** The label of an image; whoever may give it another one chooses here. */
export function LabelMark({ image }: { image: ShownImage }) {
  const { label, may, may_not: mayNot } = image;
  // What was chosen here is nobody else's change, though it is not shown yet.
  const mine = useRef<(string | undefined)[]>([]);
  const last = useRef(Promise.resolve());
  const words = [`label: ${label ?? 'none'}`, mayNot.label].filter(Boolean).join(': ');
  if (!may.includes('label')) {
    return (
      <span role="img" aria-label={words} title={words}>
        <Mark label={label} />
      </span>
    );
  }
  const put = async (next: string | null) => {
    const tags = mine.current.includes(image.etag) ? mine.current : [image.etag];
    const { tag } = await askOf({ ...image, etag: tags.at(-1) }, { method: 'PUT', body: { label: next } });
    mine.current = [...tags, tag];
  };
  // One after the other, as they were chosen.
  const choose = (next: string | null) => {
    last.current = last.current
      .then(() => put(next))
      .catch((error: Error) => toast(error.message, { isBad: true }))
      .finally(() => lookAgain(['images']));
  };
  return (
    <Menu label={<Mark label={label} />} title={words}>
      <div class="labels">
        {[null, ...labels].map((one) => (
          <button
            key={one}
            type="button"
            class="plain"
            aria-label={one ?? 'none'}
            title={one ?? 'none'}
            aria-pressed={one === label}
            onClick={() => choose(one)}
          >
            <Mark label={one} />
          </button>
        ))}
      </div>
    </Menu>
  );
}

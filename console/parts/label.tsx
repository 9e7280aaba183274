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
  const words = [`label: ${label ?? 'none'}`, mayNot.label].filter(Boolean).join(': ');
  if (!may.includes('label')) {
    return (
      <span role="img" aria-label={words} title={words}>
        <Mark label={label} />
      </span>
    );
  }
  const choose = (next: string | null) =>
    askOf(image, { method: 'PUT', body: { label: next } }).catch((error: Error) =>
      toast(error.message, { isBad: true }),
    );
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

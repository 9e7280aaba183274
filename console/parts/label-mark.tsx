import type { ComponentChildren } from 'preact';
import '../style/images.css';

const glyph = (text: string) => <>{text}</>;

/** Drawn, as hardly any font has them. */
const drawn = (lines: string, more?: ComponentChildren) => (
  <svg
    width="16"
    height="16"
    viewBox="0 0 16 16"
    fill="none"
    stroke="currentColor"
    stroke-width="1.6"
    aria-hidden="true"
  >
    <path d={lines} stroke-linecap="round" />
    {more}
  </svg>
);

const symbols: Record<string, () => ComponentChildren> = {
  flag: () => glyph('⚑'),
  tag: () => glyph('⬟'),
  asterisk: () => glyph('✱'),
  star: () => glyph('★'),
  bug: () =>
    drawn(
      'M5 5 3 3M11 5l2-2M4 9H1.5M12 9h2.5M5 12l-2 2M11 12l2 2M8 6v8',
      <ellipse cx="8" cy="9.5" rx="3.6" ry="4.8" />,
    ),
  key: () => drawn('M8.5 8.5 14 14M12 12l2-2', <circle cx="5.5" cy="5.5" r="3.7" />),
  lightbulb: () => drawn('M6 11c0-2-2-2.5-2-5a4 4 0 0 1 8 0c0 2.5-2 3-2 5zM6.3 14h3.4'),
};

/** A label as it looks: 24 of them, and none. */
export function Mark({ label }: { label: string | null }) {
  if (label === null) return <span class="mark none">○</span>;
  const [symbol = '', colour = ''] = label.split('-');
  return <span class={`mark ${colour || label}`}>{symbols[symbol]?.() ?? '●'}</span>;
}

/** Words that may be longer than their place: whoever points at them, comes to them by keys or touches them reads all of them. */
export const Cut = ({ text, tone = '' }: { text: string; tone?: string }) => (
  <span
    class={`cut ${tone}`}
    title={text}
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what is cut off is reached by keys
    tabIndex={0}
  >
    <span>{text}</span>
  </span>
);

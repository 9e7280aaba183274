/** A word about something, with a longer one for those who point at it or hear it. */
export const Badge = ({ text, title, tone = '' }: { text: string; title?: string; tone?: string }) => (
  <span class={`badge ${tone}`} title={title}>
    {text}
    {title && <span class="unseen">: {title}</span>}
  </span>
);

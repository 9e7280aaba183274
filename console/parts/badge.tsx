interface Props {
  text: string;
  title?: string;
  tone?: string;
  /** What people ask for: the keys come to it, and it says the longer one then. */
  isAsked?: boolean;
}

/** A word about something, with a longer one for those who point at it or hear it. */
export const Badge = ({ text, title, tone = '', isAsked = false }: Props) => (
  <span class={`badge ${tone}`} title={title} tabIndex={isAsked && title ? 0 : undefined}>
    {text}
    {title && (
      <>
        <span class="unseen">: </span>
        <span class={isAsked ? 'unseen tip' : 'unseen'}>{title}</span>
      </>
    )}
  </span>
);

import type { ComponentChildren } from 'preact';

interface Props {
  reason?: string | null | undefined;
  /** A link to what is to be taken instead. */
  instead: ComponentChildren;
  /** What else is known of it. */
  children?: ComponentChildren;
}

/** That an image is deprecated, why, and what takes its place. */
export const Deprecated = ({ reason, instead, children }: Props) => (
  <section class="banner" aria-label="why it is deprecated">
    <p>
      <strong>
        It is deprecated
        {reason && (
          <>
            : <bdi>{reason}</bdi>
          </>
        )}
        .
      </strong>{' '}
      {instead && <>Take {instead} instead. </>}
      {children}
    </p>
  </section>
);

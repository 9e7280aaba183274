import type { ComponentChildren } from 'preact';

interface Props {
  name: string;
  children: ComponentChildren;
}

/** A line of a list of facts; none where there is nothing to tell. */
export const Fact = ({ name, children }: Props) =>
  children === null || children === undefined || children === '' || children === false ? null : (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );

import type { ComponentChildren } from 'preact';
import { Dialog } from './dialog.js';
import { type Field, Form } from './form.js';
import { mistyped } from './mistyped.js';

interface Props {
  /** What is going to be done, and to what. */
  title: string;
  /** What that means. */
  children?: ComponentChildren;
  /** On the button: the verb. */
  label: string;
  /** Has to be typed: for what nobody does by mistake. */
  typed?: string;
  act: () => Promise<unknown>;
  close: () => void;
  /** Something else takes its place when it is done. */
  isStaying?: boolean;
}

/** Asks before something is done that can not be taken back. */
export function Confirm({ title, children, label, typed, act, close, isStaying = false }: Props) {
  const fields: readonly Field<{ typed: string }>[] =
    typed === undefined ? [] : [{ name: 'typed', label: `Type ${typed} to go on`, isRequired: true, isProof: true }];
  const submit = async (values: { typed: string }) => {
    if (typed !== undefined && values.typed.trim() !== typed) throw mistyped(typed);
    await act();
    if (!isStaying) close();
  };
  return (
    <Dialog title={title} close={close}>
      <Form
        name={`confirm:${title}`}
        fields={fields}
        initial={{ typed: '' }}
        submit={submit}
        label={label}
        cancel={close}
        isGrave
      >
        {children}
      </Form>
    </Dialog>
  );
}

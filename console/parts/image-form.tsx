import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Dialog } from './dialog.js';
import { type Field, Form } from './form.js';
import { readImage, type ShownImage } from './image-ask.js';
import { toast } from './toasts.js';

/** What every dialog of an action gets. */
export interface Doing {
  /** As it was when the dialog opened, or was loaded anew. */
  image: ShownImage;
  close: () => void;
  /** Something has been done to it, which the words say. */
  done: (words: string) => void;
}

interface Props<V extends object> extends Doing {
  title: string;
  /** On the button: the verb. */
  label: string;
  fields: readonly Field<V>[];
  initial: V;
  submit: (image: ShownImage, values: V, typed: Partial<V>) => Promise<unknown>;
  /** What is said when it is done. */
  said: string;
  isGrave?: boolean;
  children?: ComponentChildren;
  again: () => unknown;
}

/** One action on one image. What somebody else has done meanwhile is shown before it is done all the same. */
export function ImageForm<V extends object>({
  image,
  close,
  done,
  title,
  label,
  fields,
  initial,
  submit,
  said,
  isGrave = false,
  children,
  again,
}: Props<V>) {
  const send = async (values: V, typed: Partial<V>) => {
    await submit(image, values, typed);
    done(said);
    close();
  };
  return (
    <Dialog title={title} close={close}>
      <Form
        name={`image:${image.uuid}:${label}`}
        fields={fields}
        initial={initial}
        submit={send}
        again={again}
        label={label}
        cancel={close}
        isGrave={isGrave}
      >
        {children}
      </Form>
    </Dialog>
  );
}

/** The image as the person has seen it, until it is loaded anew. */
export function useSeen(image: ShownImage): [ShownImage, () => Promise<void>] {
  const [seen, setSeen] = useState(image);
  const again = () => readImage(seen).then(setSeen, (error: Error) => toast(error.message, { isBad: true }));
  return [seen, again];
}

import type { ComponentChildren } from 'preact';
import { Command } from './copy.js';
import { Dialog } from './dialog.js';

interface Props {
  title: string;
  secret: string;
  /** What it is, and how it is used. */
  words: string;
  close: () => void;
  /** Other ways to use it. */
  children?: ComponentChildren;
}

/** What is told this one time: it does not go away by mistake. */
export const Once = ({ title, secret, words, close, children }: Props) => (
  <Dialog title={title} close={close} isLasting>
    <p>{words}</p>
    <Command line={secret} what="the secret" />
    {children}
    <p>
      <strong>It is not shown again.</strong>
    </p>
    <footer class="foot">
      <button type="button" class="main" onClick={close}>
        I have it
      </button>
    </footer>
  </Dialog>
);

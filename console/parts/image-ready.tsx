import type { ComponentChildren } from 'preact';
import { part } from '../api/ask.js';
import { Link } from '../router.js';
import { Command } from './copy.js';
import { Deprecated } from './deprecated.js';
import { ImageName } from './image-name.js';
import { SendFile } from './image-send.js';
import { ProgressBar } from './progress.js';
import type { Image } from './use-image.js';
import { useTask } from './use-task.js';
import { Time } from './words.js';

type Advice = (image: Image) => ComponentChildren;

/** What helps, by the reason that the server gives. */
const advices: Readonly<Record<string, Advice>> = {
  'something works on it': ({ pending }) => pending && <AtWork task={pending.task} what={pending.what} />,
  'it is still on its way': ({ pending }) =>
    pending ? <AtWork task={pending.task} what={pending.what} /> : <p>It is ready as soon as all of it has come.</p>,
  'it has failed': () => <p>Delete it, and bring it in again: its history below tells what went wrong.</p>,
  'its file has not arrived': (image) =>
    image.may.includes('upload') ? <SendFile image={image} /> : <p>Whoever manages it has to send it.</p>,
  'it is not activated yet': ({ may }) => (
    <p>
      {may.includes('activate')
        ? 'Its file has come. Activate it under Actions: from then on neither changes.'
        : 'Whoever manages it has to activate it.'}
    </p>
  ),
  'it is disabled': ({ uuid }) => (
    <>
      <p>An operator has disabled it, and can enable it again:</p>
      <Command line={`slipway enable ${uuid}`} what="the command that enables it" />
    </>
  ),
  'it has been retired': () => (
    <p>Its access is deleted: it is kept for the machines that use it. Change its access to offer it again.</p>
  ),
};

/** Why nothing can be made of it now, and what can be done about that. */
export function Unready({ image }: { image: Image }) {
  if (image.ready || image.not_ready === null) return null;
  return (
    <section class="banner" aria-label="why it is not ready">
      <p>
        <strong>It is not ready: {image.not_ready}.</strong> No machine can be made of it now.
      </p>
      {advices[image.not_ready]?.(image)}
    </section>
  );
}

function AtWork({ task, what }: { task: string; what: string }) {
  const progress = useTask(task).answer?.result.progress;
  return (
    <div>
      <p>
        {what}: <Link to={`/tasks?search=${part(task)}`}>look at the task</Link>
      </p>
      {progress && <ProgressBar progress={progress} what={what} />}
    </div>
  );
}

export function WhyDeprecated({ image: { deprecated } }: { image: Image }) {
  if (!deprecated) return null;
  const { reason, replacement, by, at } = deprecated;
  return (
    <Deprecated reason={reason} instead={replacement && <ImageName uuid={replacement} dc={null} />}>
      <span class="quiet">
        {by}, <Time at={at} />
      </span>
    </Deprecated>
  );
}

import { part } from '../api/ask.js';
import { Link } from '../router.js';
import { Confirm } from './confirm.js';
import { leftOf } from './meter.js';
import { Opens } from './open.js';
import { ProgressBar } from './progress.js';
import type { Stage } from './upload-run.js';
import { isUnderWay, type Upload, type Uploads } from './use-uploads.js';
import { bytes } from './words.js';

const words: Record<Stage, string> = {
  waiting: 'waits for its turn',
  digest: 'its digest is computed',
  sending: 'on its way',
  cut: 'the connection was cut: it is tried again',
  verifying: 'has arrived, and is verified',
  done: 'is here',
  stopped: 'paused',
  failed: 'has failed',
};

/** What is being sent, what waits, and what has become of the others. */
export const UploadLines = ({ uploads }: { uploads: Uploads }) => (
  <>
    {uploads.all.map((upload) => (
      <Line key={upload.key} upload={upload} uploads={uploads} />
    ))}
  </>
);

function Line({ upload, uploads }: { upload: Upload; uploads: Uploads }) {
  const { key, order, stage, sent, pace, image, failure } = upload;
  const { file, title, isThere } = order;
  const isGoing = isUnderWay(upload);
  const progress = {
    done: sent,
    total: file.size,
    unit: 'bytes' as const,
    rate: stage === 'sending' && pace.rate !== null ? Math.round(pace.rate) : null,
    left: stage === 'sending' ? leftOf(pace, sent, file.size) : null,
  };
  return (
    <section class="box sending" aria-label={`upload of ${title}`}>
      <h2>
        {title}{' '}
        <span class="quiet">
          {file.name}, {bytes(file.size)}
        </span>
      </h2>
      <p role="status" class={stage === 'failed' ? 'error' : ''}>
        {words[stage]}
        {failure && `: ${failure.message}`}
      </p>
      {stage !== 'done' && <ProgressBar progress={progress} what={`upload of ${title}`} />}
      <p class="bar">
        {image !== undefined && <Link to={`/image/${part(image)}`}>Look at {title}</Link>}
        {isGoing && (
          <button type="button" aria-label={`Pause ${title}`} onClick={() => uploads.pause(key)}>
            Pause
          </button>
        )}
        {(stage === 'stopped' || stage === 'failed') && (
          <button type="button" class="main" aria-label={`Go on with ${title}`} onClick={() => uploads.goOn(key)}>
            Go on
          </button>
        )}
        {stage === 'done' ? (
          <button type="button" aria-label={`close ${title}`} onClick={() => uploads.forget(key)}>
            Close
          </button>
        ) : (
          <Opens label="Cancel …" of={title}>
            {(close) => (
              <Confirm
                title={`Cancel the upload of ${title}`}
                label="Cancel it"
                act={() => uploads.cancel(key)}
                close={close}
              >
                <p>
                  What has arrived of it is thrown away
                  {isThere
                    ? '. The image stays, and waits for another file.'
                    : ', and so is the image that waits for it.'}
                </p>
              </Confirm>
            )}
          </Opens>
        )}
      </p>
    </section>
  );
}

import { ask, part, Refusal } from '../api/ask.js';
import { isTransient } from '../api/send-blob.js';
import { append, createUpload, offsetOf } from '../api/tus.js';
import { HEAD, packingOf } from './packing.js';
import { forgetUpload, type KeptUpload, keepUpload } from './upload-kept.js';

/** Where an upload is; it can be stopped between any two of them, and gone on with. */
export type Stage = 'waiting' | 'digest' | 'sending' | 'cut' | 'verifying' | 'done' | 'stopped' | 'failed';

/** What is sent, and as what. */
export interface Order {
  file: File;
  title: string;
  user: string;
  activates: boolean;
  /** The image was there before, and stays where its upload is cancelled. */
  isThere?: true;
  /** Makes the image that gets the file: its uuid. */
  create: () => Promise<string>;
}

/** What has come about so far. */
export interface Begun {
  image?: string;
  id?: string;
}

interface Course {
  signal: AbortSignal;
  stage: (stage: Stage) => void;
  sent: (bytes: number) => void;
}

/** Files up to this size are read as a whole to be digested: the browser knows no other way. */
const MOST_DIGESTED = 256 * 2 ** 20;

/** In milliseconds: after a cut it is tried again so soon, and then less and less often. */
const PAUSES = [1000, 2000, 5000, 10_000, 30_000];

/** From wherever it stands to its end. What has come about is told as it does, so that it is not done twice. */
export async function runUpload(order: Order, begun: Begun, course: Course): Promise<string> {
  const { file } = order;
  begun.image ??= await order.create();
  course.signal.throwIfAborted();
  const earlier = begun.id;
  try {
    begun.id ??= await begin(order, begun.image, course);
    await sendAll(begun.id, file, course);
  } catch (error) {
    if (earlier === undefined || !isGone(error)) throw error;
    // It has waited too long for its next part: from the beginning, then.
    forgetUpload(earlier);
    begun.id = await begin(order, begun.image, course);
    await sendAll(begun.id, file, course);
  }
  if (order.activates) await ask(`/image/${part(begun.image)}/activate`, { method: 'PUT', body: {} });
  forgetUpload(begun.id);
  return begun.image;
}

/** Whether the server knows no such upload any more. */
export const isGone = (error: unknown) => error instanceof Refusal && [404, 410].includes(error.status);

async function begin({ file, title, user, activates, isThere }: Order, image: string, { signal, stage }: Course) {
  stage('digest');
  const sha256 = await digestOf(file);
  signal.throwIfAborted();
  const compression = packingOf(new Uint8Array(await file.slice(0, HEAD).arrayBuffer()));
  const told = { image, compression, filename: file.name.slice(0, 255), ...(sha256 && { sha256 }) };
  const id = await createUpload(file.size, told, signal);
  const kept: KeptUpload = {
    id,
    image,
    title,
    filename: file.name,
    size: file.size,
    modified: file.lastModified,
    activates,
    ...(isThere && { isThere }),
    user,
  };
  keepUpload(kept);
  return id;
}

/** Nothing where pages that come without encryption may not digest, or the file is too large for it. */
async function digestOf(file: File): Promise<string | undefined> {
  if (!globalThis.crypto?.subtle || file.size > MOST_DIGESTED) return undefined;
  const digest = await crypto.subtle.digest('SHA-256', await file.arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

async function sendAll(id: string, file: File, { signal, stage, sent }: Course): Promise<void> {
  for (let failures = 0; ; ) {
    let offset = 0;
    try {
      // Asked anew after every cut: what had left need not have arrived.
      offset = await offsetOf(id, signal);
      sent(offset);
      if (offset >= file.size) return;
      stage('sending');
      const onProgress = (bytes: number) => {
        failures = 0;
        sent(offset + bytes);
        if (offset + bytes >= file.size) stage('verifying');
      };
      offset = await append({ id, offset, bytes: file.slice(offset), onProgress, signal });
      sent(offset);
      if (offset >= file.size) return;
    } catch (error) {
      signal.throwIfAborted();
      if (!isTransient(error)) throw error;
      stage('cut');
      await pause(PAUSES[Math.min(failures, PAUSES.length - 1)]!, signal);
      failures += 1;
    }
  }
}

const pause = (milliseconds: number, signal: AbortSignal) =>
  new Promise<void>((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });

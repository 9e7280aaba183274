import { sendBlob } from './send-blob.js';

// Resumable uploads: https://tus.io/protocols/resumable-upload, version 1.0.0.

const SPEAKS = { 'Tus-Resumable': '1.0.0', Accept: 'application/json' };
const PART = 'application/offset+octet-stream';

export interface ToldOfFile {
  /** By its uuid. */
  image: string;
  compression: string;
  filename: string;
  /** In hex; the server finds it out where the browser can not. */
  sha256?: string;
}

/** Begins an upload: its id. */
export async function createUpload(size: number, told: ToldOfFile, signal: AbortSignal): Promise<string> {
  const { headers } = await sendBlob({
    method: 'POST',
    path: '/upload',
    headers: { ...SPEAKS, 'Upload-Length': String(size), 'Upload-Metadata': metadataOf({ ...told }) },
    signal,
  });
  return (headers.get('Location') ?? '').replace(/\/$/, '').split('/').at(-1) ?? '';
}

/** So many bytes are there. */
export async function offsetOf(id: string, signal: AbortSignal): Promise<number> {
  const { headers } = await sendBlob({ method: 'HEAD', path: `/upload/${id}`, headers: SPEAKS, signal });
  return Number(headers.get('Upload-Offset'));
}

interface Part {
  id: string;
  offset: number;
  bytes: Blob;
  onProgress: (bytes: number) => void;
  signal: AbortSignal;
}

/** Sends what comes next; so many bytes are there afterwards. */
export async function append({ id, offset, bytes, onProgress, signal }: Part): Promise<number> {
  const { headers } = await sendBlob({
    method: 'PATCH',
    path: `/upload/${id}`,
    headers: { ...SPEAKS, 'Content-Type': PART, 'Upload-Offset': String(offset) },
    body: bytes,
    onProgress,
    signal,
  });
  return Number(headers.get('Upload-Offset'));
}

/** Nothing of it is left. */
export const endUpload = (id: string) => sendBlob({ method: 'DELETE', path: `/upload/${id}`, headers: SPEAKS });

const inBase64 = (text: string) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

const metadataOf = (told: Readonly<Record<string, string | undefined>>) =>
  Object.entries(told)
    .filter(([, value]) => value !== undefined)
    .map(([key, value = '']) => `${key} ${inBase64(value)}`)
    .join(',');

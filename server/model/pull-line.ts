/** A line of the stream that tells how an import or a push goes, as docker's clients know them. */
export type PullLine =
  | { type: 'status'; payload: { status: string; id?: string } }
  | { type: 'progress'; payload: { id: string; status: string; progressDetail?: ProgressDetail } }
  | CreateDockerImage
  | { type: 'error'; error: { code: string; message: string } };

export interface ProgressDetail {
  current: number;
  total: number;
  /** In seconds since 1970. */
  start: number;
}

/** What docker's clients keep of an image beside its layers. */
export interface CreateDockerImage {
  type: 'create-docker-image';
  config_digest: string;
  head: true;
  image: Record<string, unknown>;
  image_uuid: string;
  manifest_digest: string;
  manifest_str: string;
  size: number;
  dockerImageVersion: '2.2';
}

export type Say = (line: PullLine) => void;

export const status = (text: string): PullLine => ({ type: 'status', payload: { status: text } });

export const progress = (id: string, text: string, progressDetail?: ProgressDetail): PullLine => ({
  type: 'progress',
  payload: { id, status: text, ...(progressDetail && { progressDetail }) },
});

/** How the names begin under which bytes come for a stream of lines: with its end nobody comes for them any more. */
export const STREAMS = 'stream/';

/** Those of one daemon, by its name. */
export const streamsOf = (member: string) => `${STREAMS}${member}/`;

/** Bytes between two lines that tell of them. */
const EVERY = 512 << 10;

/** Tells of bytes, but not of each. */
export function telling(say: Say, id: string, what: string, total: number, now: Date): (bytes: number) => void {
  const start = Math.floor(now.getTime() / 1000);
  let told = 0;
  return (bytes) => {
    if (bytes - told < EVERY) return;
    told = bytes;
    say(progress(id, what, { current: bytes, total, start }));
  };
}

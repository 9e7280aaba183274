import { remember, remembered } from '../remember.js';

/** An upload that was begun with a file of this computer, and what is needed to go on with it: nothing of that is secret. */
export interface KeptUpload {
  id: string;
  /** By its uuid. */
  image: string;
  /** As people know it. */
  title: string;
  filename: string;
  size: number;
  /** When the file was changed last. */
  modified: number;
  activates: boolean;
  /** The image was there before it, and stays where it is cancelled. */
  isThere?: true;
  /** Whose it is: others of this browser neither see it nor can go on with it. */
  user: string;
}

const NAME = 'uploads';

/** What was forgotten for other reasons is not kept for ever. */
const MOST = 50;

const all = () => remembered<KeptUpload[]>(NAME) ?? [];

export const keptUploads = (user: string): KeptUpload[] => all().filter((one) => one.user === user);

export const keepUpload = (upload: KeptUpload): void =>
  remember(NAME, [...all().filter(({ id }) => id !== upload.id), upload].slice(-MOST));

export const forgetUpload = (id: string): void =>
  remember(
    NAME,
    all().filter((one) => one.id !== id),
  );

type Looks = Pick<File, 'name' | 'size' | 'lastModified'>;

/** Why it is not the file that it was begun with, as far as its name, size and time tell. */
export function otherwise({ filename, size, modified }: KeptUpload, file: Looks): string | undefined {
  if (file.name !== filename) return `it is called ${file.name}, and not ${filename}`;
  if (file.size !== size) return `it has ${file.size} bytes, and not ${size}`;
  if (file.lastModified !== modified) return 'it was changed since';
  return undefined;
}

/** Whether it is the file that it was begun with. */
export const isOf = (kept: KeptUpload, file: Looks): boolean => otherwise(kept, file) === undefined;

import type { Compression } from '../imgapi/image.js';

interface Form {
  extension: string;
  /** What such a file begins with. */
  magic: Buffer;
}

const forms: Record<Exclude<Compression, 'none'>, Form> = {
  gzip: { extension: '.gz', magic: Buffer.from([0x1f, 0x8b]) },
  bzip2: { extension: '.bz2', magic: Buffer.from('BZh') },
  xz: { extension: '.xz', magic: Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]) },
};

/** So many bytes tell what a file is compressed with. */
export const TELLING = 6;

export function compressionByName(name: string): Compression | undefined {
  return find(({ extension }) => name.toLowerCase().endsWith(extension));
}

export function compressionByContent(head: Buffer): Compression {
  return find(({ magic }) => head.subarray(0, magic.length).equals(magic)) ?? 'none';
}

export function extensionOf(compression: unknown): string {
  return Object.entries(forms).find(([name]) => name === compression)?.[1].extension ?? '';
}

function find(test: (form: Form) => boolean): Compression | undefined {
  const [name] = Object.entries(forms).find(([, form]) => test(form)) ?? [];
  return name as Compression | undefined;
}

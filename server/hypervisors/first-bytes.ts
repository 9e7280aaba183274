import type { Host, Words } from './host.js';

/** What a file of a node begins with. A node that prints more than it was asked for is cut off. */
export async function firstBytes(host: Host, file: string, most: number, signal: AbortSignal): Promise<Buffer> {
  const command: Words = ['head', '-c', `${most}`, '--', file];
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of host.stream(command, { signal })) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > most) break;
  }
  return Buffer.concat(chunks).subarray(0, most);
}

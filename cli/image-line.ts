import type { RemoteManifest } from '../imgapi/client.js';
import type { Io } from './command.js';
import { print, printJson } from './output.js';
import { visible } from './visible.js';

/** `NAME@VERSION`, as commands take it. */
export const nameAndVersion = ({ name, version }: RemoteManifest): string => `${name}@${version}`;

/** What a command has made of an image: one line of uuid, name and outcome, or its manifest. */
export async function printImage(
  io: Io,
  image: RemoteManifest,
  { json, outcome = String(image.state) }: { json?: true | undefined; outcome?: string },
): Promise<void> {
  if (json) return printJson(io, image);
  await print(io, `${visible(`${image.uuid}  ${nameAndVersion(image)}  ${outcome}`)}\n`);
}

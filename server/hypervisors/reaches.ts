import { isRecord } from '../../imgapi/checks.js';
import { CommandFailed, type Host } from './host.js';

/** In seconds. */
const PATIENCE = '10';

/** Throws CommandFailed where an image server does not answer the machine, or what answers is none. */
export async function reaches(host: Host, url: string, signal: AbortSignal): Promise<void> {
  const asked = ['--silent', '--show-error', '--fail', '--location', '--max-time', PATIENCE, '--', `${url}/ping`];
  const answer = await host.run(['curl', ...asked], { signal, most: 64 << 10 });
  if (isServer(answer)) return;
  throw new CommandFailed('curl', host.name, 0, `what answers at ${url} is no image server`);
}

function isServer(answer: string): boolean {
  try {
    const told: unknown = JSON.parse(answer);
    return isRecord(told) && told.imgapi === true;
  } catch {
    return false;
  }
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** What operators do with the tools of the system; resolves with the seconds that it took. */
export async function runShell(script: string, env: Record<string, string>): Promise<number> {
  const begun = performance.now();
  const child = spawn('bash', ['-euo', 'pipefail', '-c', script], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ...env },
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`a peer ended with ${code}: ${script}`);
  return (performance.now() - begun) / 1000;
}

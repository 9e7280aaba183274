import { CommandFailed, type Host } from './host.js';

/** What the clock of a machine shows. */
export async function clockOf(host: Host, signal: AbortSignal): Promise<Date> {
  const printed = await host.run(['date', '-u', '+%s'], { signal, most: 1024 });
  const [seconds] = /^\d{1,12}(?=\s*$)/.exec(printed) ?? [];
  if (seconds !== undefined) return new Date(Number(seconds) * 1000);
  throw new CommandFailed('date', host.name, 0, `it has printed no time: "${printed.slice(0, 100)}"`);
}

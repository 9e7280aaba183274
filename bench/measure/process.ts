import { readdir, readFile, writeFile } from 'node:fs/promises';

// Linux tells of each process in /proc. Elsewhere the bench does not run.

/** As Linux counts it for those who ask: hundredths of a second, whatever the clock of the kernel does. */
const TICKS = 100;
const MIB = 1024;

/** Seconds of processor time that these processes, and those which they started, have had so far. */
export async function cpuSecondsOf(pid: number): Promise<number> {
  let ticks = 0;
  for (const one of await familyOf(pid)) {
    // the name of the program stands in brackets and may hold anything
    const fields = (await readFile(`/proc/${one}/stat`, 'utf8')).replace(/^.*\) /s, '').split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / TICKS;
}

/** MiB that the process holds. */
export const memoryOf = (pid: number) => status(pid, 'VmRSS');

/** The most that it has held since it was last forgotten. */
export const peakMemoryOf = (pid: number) => status(pid, 'VmHWM');

export const forgetPeakMemory = (pid: number) => writeFile(`/proc/${pid}/clear_refs`, '5');

export const handlesOf = async (pid: number) => (await readdir(`/proc/${pid}/fd`)).length;

async function familyOf(pid: number): Promise<number[]> {
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim();
  const families = await Promise.all(children.split(' ').filter(Boolean).map(Number).map(familyOf));
  return [pid, ...families.flat()];
}

async function status(pid: number, field: string): Promise<number> {
  const found = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(await readFile(`/proc/${pid}/status`, 'utf8'));
  if (!found) throw new Error(`process ${pid} does not tell its ${field}`);
  return Number(found[1]) / MIB;
}

/** As platforms tell, in our words. */
export const machineStates = [
  'running',
  'stopped',
  'stopping',
  'paused',
  'frozen',
  'provisioning',
  'failed',
  'unknown',
] as const;
export type MachineState = (typeof machineStates)[number];

const taken: ReadonlySet<MachineState> = new Set(['running', 'stopped', 'stopping', 'paused', 'frozen']);

/** Can images be made of a machine in that state? */
export const isTaken = (state: MachineState): boolean => taken.has(state);

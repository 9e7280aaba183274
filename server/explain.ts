import { InUse, StorageDown, Unusable } from '../storage/errors.js';
import { OperatorMistake } from './model/operator-mistake.js';

const hints: Record<string, string> = {
  EADDRINUSE: 'choose another with --port, --tls-port or --metrics-port',
  EADDRNOTAVAIL: 'choose an address of this machine with --address',
};

function hintFor(error: Error): string {
  const hint = 'code' in error && typeof error.code === 'string' ? hints[error.code] : undefined;
  return hint ? `: ${hint}` : '';
}

const tellable = [OperatorMistake, InUse, StorageDown, Unusable];

/** What went wrong lies outside of the program: where, and not in which of its lines, is what helps. */
function isForTheOperator(error: unknown): error is Error {
  const isOfTheSystem = error instanceof Error && 'syscall' in error;
  return isOfTheSystem || tellable.some((kind) => error instanceof kind);
}

/** Why the daemon does not start: a line with what to do, or the whole of it where the program is at fault. */
export function explain(error: unknown): unknown {
  return isForTheOperator(error) ? `slipway: ${error.message}${hintFor(error)}` : error;
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';

/** A directory of its own for a test; gone when the test ends. */
export async function scratch(t: Pick<ExecutionContext, 'teardown'>): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'slipway-'));
  t.teardown(() => rm(path, { recursive: true, force: true }));
  return path;
}

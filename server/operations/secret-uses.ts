import { isRecord } from '../../imgapi/checks.js';
import type { Reader } from '../../storage/catalog.js';
import { type Caller, isOperator } from '../model/caller.js';
import { nodes } from '../model/node.js';
import { mayAsk } from '../model/permissions.js';
import { repositories } from '../model/repository.js';
import { seesTask, tasks } from '../model/task.js';

/** Something that would fail without a secret. */
export interface SecretUse {
  what: string;
  name: string;
  isSeenBy(caller: Caller): boolean;
}

type FindUses = (reader: Reader, ref: string) => AsyncIterable<SecretUse>;

/** Everything that keeps the reference of a secret: whatever else comes to keep one has its line here. */
const findUses: readonly FindUses[] = [ofRepositories, ofNodes, ofTasks];

export async function usesOf(reader: Reader, ref: string): Promise<SecretUse[]> {
  const uses: SecretUse[] = [];
  for (const find of findUses) for await (const use of find(reader, ref)) uses.push(use);
  return uses;
}

async function* ofRepositories(reader: Reader, ref: string): AsyncGenerator<SecretUse> {
  for await (const { record } of reader.range(repositories, 'secret', { prefix: ref })) {
    if (record.secret !== ref) continue;
    yield { what: 'repository', name: record.name, isSeenBy: (caller) => mayAsk(caller, 'browse repositories') };
  }
}

async function* ofNodes(reader: Reader, ref: string): AsyncGenerator<SecretUse> {
  for await (const { name, connection } of reader.list(nodes)) {
    if (connection?.key === ref) yield { what: 'node', name, isSeenBy: isOperator };
  }
}

/** What is under way, or waits to be. */
async function* ofTasks(reader: Reader, ref: string): AsyncGenerator<SecretUse> {
  for (const status of ['PENDING', 'STARTED']) {
    for await (const { record } of reader.range(tasks, 'status', { prefix: `${status}/` })) {
      if (!names(record.params, ref)) continue;
      yield { what: 'task', name: record.id, isSeenBy: (caller) => seesTask(caller, record) };
    }
  }
}

/** Wherever in its parameters a task keeps it. */
function names(value: unknown, ref: string): boolean {
  if (Array.isArray(value)) return value.some((one) => names(one, ref));
  return isRecord(value) && (value.secret === ref || Object.values(value).some((one) => names(one, ref)));
}

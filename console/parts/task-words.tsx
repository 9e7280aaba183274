import { Fragment } from 'preact';
import { part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { Link } from '../router.js';
import { useAccount } from '../session.js';
import { Badge } from './badge.js';

export type Task = Results['GetTask'];

export const taskStates: Record<Task['status'], readonly [word: string, tone: string]> = {
  PENDING: ['waiting', ''],
  STARTED: ['at work', 'warn'],
  SUCCESS: ['done', 'good'],
  FAILURE: ['failed', 'bad'],
  REVOKED: ['cancelled', ''],
};

const told = (result: unknown, name: string) =>
  result && typeof result === 'object' && name in result
    ? String((result as Record<string, unknown>)[name])
    : undefined;

/** Why it has failed, in the server's words. */
export const detailOf = ({ status, result }: Pick<Task, 'status' | 'result'>) =>
  status === 'FAILURE' ? told(result, 'detail') : undefined;

export const TaskState = ({ task }: { task: Task }) => {
  const [word, tone] = taskStates[task.status];
  const detail = detailOf(task);
  return <Badge text={word} tone={tone} {...(detail !== undefined && { title: detail })} />;
};

/** By what it has failed of, what can be done about it. */
const advice: Readonly<Record<string, string>> = {
  Interrupted: 'Begin it again: what had come so far is gone.',
  InternalError: 'The log of the server tells why, under the id of this task.',
  NodeDown: 'Look at the health of the node; then begin it again.',
  NodeFailed: 'Look at the health of the node, and at what its tool says; then begin it again.',
  NodeUnsuitable: 'The image is not for that node: choose another one, or change what the image requires.',
  NoPublicUrl: 'Set publicUrl, by which nodes reach this server, in the settings of the data center.',
  InsufficientSpace: 'Make room, such as by removing unused images; then begin it again.',
  QuotaExceeded: 'Delete images, or have the limit raised in the settings of the data center.',
  RemoteSourceError: 'Look whether the other server answers; then begin it again.',
  RepositoryFailed: 'Look whether the repository answers; then begin it again.',
  Download: 'What came is not what was announced: begin it again, or ask whoever offers it.',
  StorageIsDown: 'Have a look at the storage of this server; then begin it again.',
  ImageInUse: 'Machines use the image: remove them, or make them of another one.',
  ImagePending: 'Something else works on the image: wait for its end, and begin it again.',
  OriginIsNotActive: 'Bring in what the image builds on first.',
  NotPermitted: 'Whoever began it had the right taken away: have it given back, or begun by somebody else.',
  SnapshotPending: 'Something else works on the snapshot: wait for its end, and begin it again.',
};

/** Of a task that has failed. */
export const adviceOf = ({ status, result }: Pick<Task, 'status' | 'result'>) =>
  status === 'FAILURE' ? advice[told(result, 'code') ?? ''] : undefined;

/** Where the pages of the things are that tasks work on; those of nodes are for SuperAdmins. */
const pages: Readonly<Record<string, { at: string; isForSuperAdmins?: true }>> = {
  images: { at: '/image/' },
  datacenters: { at: '/datacenters/' },
  nodes: { at: '/nodes/', isForSuperAdmins: true },
  campaigns: { at: '/campaigns/', isForSuperAdmins: true },
  follows: { at: '/follows/', isForSuperAdmins: true },
};

/** So many are named in a line. */
const MOST = 3;

/** What it works on. */
export function TaskObjects({ of: { objects }, most = MOST }: { of: Task; most?: number }) {
  const { super_admin: isSuper } = useAccount();
  return (
    <>
      {objects.slice(0, most).map(({ kind, id, name }, at) => {
        const page = pages[kind];
        const isLed = page && (isSuper || !page.isForSuperAdmins);
        return (
          <Fragment key={`${kind}/${id}`}>
            {at > 0 && ', '}
            {isLed ? <Link to={page.at + part(id)}>{name}</Link> : name}
          </Fragment>
        );
      })}
      {objects.length > most && ` and ${objects.length - most} more`}
    </>
  );
}

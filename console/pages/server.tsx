import { addressOf, ask } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { useAsked } from '../api/use-asked.js';
import { prefix } from '../base.js';
import { Act } from '../parts/act.js';
import { Badge } from '../parts/badge.js';
import { Confirm } from '../parts/confirm.js';
import { Command } from '../parts/copy.js';
import { saveAs } from '../parts/download.js';
import { Failure } from '../parts/failure.js';
import { Lines } from '../parts/lines.js';
import { Opens } from '../parts/open.js';
import { ProgressBar } from '../parts/progress.js';
import { toast } from '../parts/toasts.js';
import { useEvery } from '../parts/use-every.js';
import { Time } from '../parts/words.js';
import { Link } from '../router.js';

/** The daemons that are this server, and what is done to it as a whole. */
export default function Server() {
  return (
    <article>
      <h1>The whole server</h1>
      <div class="boxes loose">
        <Members />
        <SetUp />
        <Migration />
        <Backup />
        <Elsewhere />
      </div>
    </article>
  );
}

const SetUp = () => (
  <section class="box">
    <h2>Settings</h2>
    <p>
      What is set for all stands in the first data center, and holds in the others unless they have set it themselves.
    </p>
    <ul>
      <li>
        <Link to="/datacenters/main">Settings of all data centers</Link>
      </li>
      <li>
        <Link to="/repositories">Repositories</Link>
      </li>
      <li>
        <Link to="/audit?kind=datacenters">Who has changed settings</Link>
      </li>
    </ul>
    <p class="quiet">What stands in the configuration file is read when the server starts: it is changed there.</p>
  </section>
);

type Member = Results['ListMembers'][number];

/** Nobody tells of members: they are asked for again, in milliseconds. */
const AGAIN = 10_000;

function Members() {
  const { answer, failure, refresh, poll } = useAsked<Member[]>('/member');
  useEvery(AGAIN, poll);
  return (
    <section class="box">
      <h2>Members</h2>
      {failure && <Failure of={failure} again={refresh} />}
      <Lines
        label="members"
        of={answer?.result}
        idOf={({ id }) => id}
        title={({ name, version, first, self }) => (
          <>
            {name} <span class="quiet">{version}</span>{' '}
            <span class="badges">
              {first && <Badge text="first" title="what is done once for all is done by it" tone="good" />}
              {self && <Badge text="this one" title="the one that answers you" />}
            </span>
          </>
        )}
        details={({ since, tasks }) => (
          <>
            in since <Time at={since} />, performs {tasks} {tasks === 1 ? 'task' : 'tasks'}
          </>
        )}
        empty="None."
      />
    </section>
  );
}

type Move = Results['GetMigration'];

const words: Record<Move['status'], readonly [words: string, tone: string]> = {
  none: ['the server is not moving', ''],
  interrupted: ['a move was interrupted: start it again to go on', 'warn'],
  copying: ['contents are copied, while the server serves', 'warn'],
  finishing: ['records are copied: nothing is written any more', 'warn'],
  moved: ['the server has moved, and stops', 'good'],
  failed: ['the move has failed', 'bad'],
  aborted: ['the move was ended: what was copied is kept for the next time', ''],
};

const MOVING: ReadonlySet<string> = new Set(['copying', 'finishing']);

function Migration() {
  const { answer, failure, refresh, poll } = useAsked<Move>('/migration');
  useEvery(MOVING.has(answer?.result.status ?? '') ? AGAIN / 5 : AGAIN, poll);
  const move = answer?.result;
  return (
    <section class="box">
      <h2>Moving to other stores</h2>
      {failure && <Failure of={failure} again={refresh} />}
      {move && (
        <>
          <p role="status">
            <Badge text={move.status} tone={words[move.status][1]} /> {words[move.status][0]}
          </p>
          {move.error && <p class="error">{move.error}</p>}
          {move.status !== 'none' && <Facts move={move} />}
          {move.status === 'copying' && (
            <Opens label="End the move …">
              {(close) => (
                <Confirm
                  title="End the move?"
                  label="End it"
                  act={async () => {
                    await ask('/migration', { method: 'DELETE' });
                    toast('the move is ended');
                    refresh();
                  }}
                  close={close}
                >
                  <p>What was copied is kept for the next time.</p>
                </Confirm>
              )}
            </Opens>
          )}
        </>
      )}
      <p class="quiet">It is started by the command line:</p>
      <Command line="slipway migrate --to /path/to/its.toml" what="the command that moves the server" />
    </section>
  );
}

const Facts = ({ move }: { move: Move }) => (
  <>
    {MOVING.has(move.status) && (
      <ProgressBar
        what="contents copied"
        progress={{ done: move.bytes, total: move.bytes_total, unit: 'bytes', rate: null, left: null }}
      />
    )}
    <dl class="facts">
      <dt>To</dt>
      <dd>{move.config ?? 'not said'}</dd>
      <dt>Started</dt>
      <dd>
        <Time at={move.started} />
      </dd>
      <dt>Contents</dt>
      <dd>
        {move.contents} of {move.contents_total}
      </dd>
      {move.records !== null && (
        <>
          <dt>Records</dt>
          <dd>{move.records}</dd>
        </>
      )}
      {move.unreadable.length > 0 && (
        <>
          <dt>Lost before</dt>
          <dd>{move.unreadable.join(', ')}</dd>
        </>
      )}
    </dl>
  </>
);

/** Whoever is not signed in any more is asked to, before anything is saved. */
async function backUp(): Promise<void> {
  await ask('/account');
  saveAs(addressOf('/backup'), `slipway-${new Date().toISOString().slice(0, 10)}.tar`);
}

const Backup = () => (
  <section class="box">
    <h2>Backup</h2>
    <p>All images, files, people and the record of what was done, in one file, as they are now.</p>
    <p>
      <Act label="Download a backup" isMain act={backUp} />
    </p>
    <p class="quiet">What the server keeps secret is not in it. With a passphrase it is, by the command line:</p>
    <Command line="slipway backup --passphrase-file FILE" what="the command for a backup with secrets" />
  </section>
);

function Elsewhere() {
  const url = location.origin + prefix;
  return (
    <section class="box">
      <h2>Elsewhere</h2>
      <ul>
        <li>
          <a href={`${prefix}/docs/`}>What this server speaks, and its error codes</a>
        </li>
        <li>
          <a href={addressOf('/docs')}>The management API</a>
        </li>
        <li>
          <a href={addressOf('/openapi.json')}>The same as an OpenAPI document</a>
        </li>
        <li>
          <a href={`${prefix}/readyz`}>Whether it is ready</a>
        </li>
      </ul>
      <p class="quiet">Metrics, with a token that is good for them:</p>
      <Command line={`curl -H "Authorization: Bearer $TOKEN" ${url}/metrics`} what="the command for metrics" />
    </section>
  );
}

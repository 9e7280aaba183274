import { part } from '../api/ask.js';
import type { Results } from '../api/types.js';
import { useAsked } from '../api/use-asked.js';
import type { Rows } from '../api/use-rows.js';
import type { PageProps } from '../pages.js';
import { Badge } from '../parts/badge.js';
import { CampaignMenu } from '../parts/campaign-menu.js';
import { CampaignBar, campaignKinds, campaignStates } from '../parts/campaign-words.js';
import { Cut } from '../parts/cut.js';
import { Failure } from '../parts/failure.js';
import { ProgressBar } from '../parts/progress.js';
import { type Column, Table } from '../parts/table.js';
import { useTask } from '../parts/use-task.js';
import { bytes, Time } from '../parts/words.js';
import { go, Link } from '../router.js';

type Whole = Results['GetCampaign'];
type One = Whole['nodes'][number];

const states: Record<One['state'], readonly [string, string]> = {
  waiting: ['waiting', ''],
  pulling: ['fetching', 'warn'],
  done: ['done', 'good'],
  skipped: ['skipped', 'warn'],
  failed: ['failed', 'bad'],
};

const columns: readonly Column<One>[] = [
  {
    name: 'node',
    title: 'Node',
    shown: true,
    cell: ({ node }) => <Link to={`/nodes/${part(node)}?tab=images`}>{node}</Link>,
  },
  {
    name: 'state',
    title: 'State',
    shown: true,
    cell: ({ state, away }) => (
      <span class="badges">
        <Badge text={states[state][0]} tone={states[state][1]} />
        {away && <Badge text="away" tone="warn" title="it is waited for" />}
      </span>
    ),
  },
  { name: 'progress', title: 'Progress', shown: true, cell: (one) => <Fetching one={one} /> },
  { name: 'tries', title: 'Tries', shown: true, isNumber: true, cell: ({ tries }) => tries },
  { name: 'error', title: 'Why', shown: true, cell: ({ error }) => error && <Cut text={error} /> },
  { name: 'next', title: 'Tried again', shown: true, cell: ({ next }) => next && <Time at={next} /> },
  { name: 'at', title: 'Since', shown: true, cell: ({ at }) => <Time at={at} /> },
];

function Fetching({ one: { state, task, node } }: { one: One }) {
  return state === 'pulling' && task !== null ? <Moving task={task} node={node} /> : null;
}

function Moving({ task, node }: { task: string; node: string }) {
  const progress = useTask(task).answer?.result.progress;
  return progress ? <ProgressBar progress={progress} what={`fetched by ${node}`} /> : null;
}

export default function CampaignPage({ params: { name = '' } }: PageProps) {
  const { answer, failure, refresh } = useAsked<Whole>(`/campaign/${part(name)}`, { kinds: campaignKinds });
  if (!answer) return failure ? <Failure of={failure} again={refresh} /> : <p class="loading">loading …</p>;
  const campaign = answer.result;
  const { state, error, image, image_name, pool, at_once, bandwidth, until, created, finished, nodes } = campaign;
  const [word, tone] = campaignStates[state];
  // All of them come with the campaign.
  const rows: Rows<One> = { total: nodes.length, at: (index) => nodes[index], show: () => {}, failure, refresh };
  return (
    <section>
      <div class="heads">
        <h1>
          {name} <Badge text={word} tone={tone} />
        </h1>
        <CampaignMenu campaign={campaign} tag={answer.tag} changed={refresh} removed={() => go('/campaigns')} />
      </div>
      {error !== null && <p class="failure">{error}</p>}
      <CampaignBar of={campaign} />
      <dl class="facts box">
        <dt>Image</dt>
        <dd>
          <Link to={`/image/${part(image)}`}>{image_name}</Link>
        </dd>
        <dt>Pool</dt>
        <dd>{pool ?? '“zones”, or the only one that a node has'}</dd>
        <dt>Side by side</dt>
        <dd>
          {at_once} nodes{bandwidth !== null && `, ${bytes(bandwidth)}/s of all together`}
        </dd>
        <dt>Begun</dt>
        <dd>
          <Time at={created} />
          {finished !== null && (
            <>
              , ended <Time at={finished} />
            </>
          )}
        </dd>
        <dt>Gives up</dt>
        <dd>
          <Time at={until} />, on nodes that are away
        </dd>
      </dl>
      <Table
        name="campaign"
        caption={`Nodes of ${name}`}
        rows={rows}
        columns={columns}
        idOf={({ node }) => node}
        empty="It has no nodes."
      />
    </section>
  );
}

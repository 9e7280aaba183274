import { useState } from 'preact/hooks';
import { part } from '../api/ask.js';
import { useRows } from '../api/use-rows.js';
import { Badge } from '../parts/badge.js';
import { NewCampaign } from '../parts/campaign-form.js';
import { CampaignMenu } from '../parts/campaign-menu.js';
import { CampaignBar, campaignKinds, campaignStates, type ListedCampaign } from '../parts/campaign-words.js';
import { Search } from '../parts/search.js';
import { type Column, Table } from '../parts/table.js';
import { Time } from '../parts/words.js';
import { Link, useQuery } from '../router.js';

const columns: readonly Column<ListedCampaign>[] = [
  {
    name: 'name',
    title: 'Name',
    shown: true,
    order: 'name',
    cell: ({ name }) => <Link to={`/campaigns/${part(name)}`}>{name}</Link>,
  },
  {
    name: 'state',
    title: 'Status',
    shown: true,
    order: 'state',
    cell: ({ state, error }) => (
      <Badge
        text={campaignStates[state][0]}
        tone={campaignStates[state][1]}
        {...(error !== null && { title: error })}
      />
    ),
  },
  {
    name: 'image',
    title: 'Image',
    shown: true,
    cell: ({ image, image_name: name }) => <Link to={`/image/${part(image)}`}>{name}</Link>,
  },
  { name: 'pool', title: 'Pool', cell: ({ pool }) => pool ?? <i>the usual one</i> },
  { name: 'progress', title: 'Nodes', shown: true, cell: (campaign) => <CampaignBar of={campaign} /> },
  { name: 'created', title: 'Begun', shown: true, order: 'created', cell: ({ created }) => <Time at={created} /> },
  { name: 'finished', title: 'Ended', shown: true, cell: ({ finished }) => finished && <Time at={finished} /> },
  { name: 'until', title: 'Waits until', cell: ({ until }) => <Time at={until} /> },
];

export default function Campaigns() {
  const [search, setSearch] = useQuery('search');
  const [sort] = useQuery('sort');
  const [isNew, setNew] = useState(false);
  const rows = useRows<ListedCampaign>('/campaign', {
    query: { search, order_by: sort || '-created' },
    kinds: campaignKinds,
  });
  const last: Column<ListedCampaign> = {
    name: 'do',
    title: 'Actions',
    shown: true,
    cell: (campaign) => <CampaignMenu campaign={campaign} tag={campaign.etag} changed={rows.refresh} />,
  };
  return (
    <section>
      <div class="heads">
        <h1>Campaigns</h1>
        <button type="button" class="main" onClick={() => setNew(true)}>
          Bring an image onto nodes
        </button>
      </div>
      <div class="bar">
        <Search value={search} change={setSearch} label="Search campaigns" />
      </div>
      <Table
        name="campaigns"
        caption="Campaigns"
        rows={rows}
        columns={[...columns, last]}
        idOf={({ name }) => name}
        to={({ name }) => `/campaigns/${part(name)}`}
        empty={search ? 'No campaign is called like that.' : 'No image was brought onto many nodes yet.'}
      />
      {isNew && <NewCampaign close={() => setNew(false)} />}
    </section>
  );
}

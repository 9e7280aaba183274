import { useState } from 'preact/hooks';
import { ask, part } from '../api/ask.js';
import { actionsOf, type Campaign } from './campaign-words.js';
import { Confirm } from './confirm.js';
import { Menu, MenuActions } from './menu.js';
import { toast } from './toasts.js';

interface Props {
  campaign: Campaign;
  tag: string | undefined;
  /** It is something else by now. */
  changed: () => void;
  removed?: () => void;
}

const told: Record<string, string> = {
  stop: 'is stopped',
  start: 'goes on',
  retry: 'begins again with what is not done',
};

/** What can be done with a campaign. */
export function CampaignMenu({ campaign, tag, changed, removed = changed }: Props) {
  const [isDoomed, setDoomed] = useState(false);
  const { name } = campaign;
  const act = (action: string, work: () => Promise<unknown>) =>
    void work()
      .then(
        () => toast(`campaign ${name} ${told[action]}`),
        (error: Error) => toast(error.message, { isBad: true }),
      )
      .finally(changed);
  const remove = async () => {
    await ask(`/campaign/${part(name)}`, { method: 'DELETE', body: {}, ifMatch: tag });
    toast(`campaign ${name} is forgotten`);
    removed();
  };
  return (
    <>
      <Menu label="Actions" title={`actions of ${name}`}>
        <MenuActions actions={actionsOf(campaign, tag, { act, remove: () => setDoomed(true) })} />
      </Menu>
      {isDoomed && (
        <Confirm title={`Delete campaign ${name}`} label="Delete" act={remove} close={() => setDoomed(false)}>
          <p>What it has brought onto nodes stays there.</p>
        </Confirm>
      )}
    </>
  );
}

import type { ComponentType } from 'preact';
import { useState } from 'preact/hooks';
import { BringOntoNodes } from './campaign-form.js';
import type { Action, ShownImage } from './image-ask.js';
import { ChangeImage } from './image-change.js';
import { DetachImage } from './image-detach.js';
import { DeprecateImage, LabelImage } from './image-edit.js';
import { type Doing, useSeen } from './image-form.js';
import { AttachImage } from './image-place.js';
import { type PlainAction, PlainDialog, plain } from './image-plain.js';
import { ShareImage } from './image-share.js';
import { Menu, type MenuAction, MenuActions } from './menu.js';
import { toast } from './toasts.js';

type Pick = (image: ShownImage) => Action | undefined;

const always =
  (action: Action): Pick =>
  () =>
    action;

/** Which of two that take each other back; none where it has no meaning any more. */
// biome-ignore format: a table is read down its columns
const lines: readonly (readonly [pick: Pick, labels: Partial<Record<Action, string>>])[] = [
  [always('update'),                                                          { update: 'Change …' }],
  [always('label'),                                                           { label: 'Label …' }],
  [({ state }) => (/^(active|disabled)$/.test(state) ? undefined : 'activate'), { activate: 'Activate …' }],
  [({ golden }) => (golden ? 'ungolden' : 'golden'),                          { golden: 'Mark as golden …', ungolden: 'Take golden away …' }],
  [always('share'),                                                           { share: 'Share with groups and users …' }],
  [({ access }) => (access === 1 ? 'unpublish' : 'publish'),                  { publish: 'Make public …', unpublish: 'Make private …' }],
  [always('attach'),                                                          { attach: 'Attach to a data center …' }],
  [always('detach'),                                                          { detach: 'Detach from a data center …' }],
  [({ dc_bound: isBound }) => (isBound ? 'unbind' : 'bind'),                  { bind: 'Bind to its data center …', unbind: 'Share among data centers …' }],
  [({ global }) => (global ? 'unglobalize' : 'globalize'),                    { globalize: 'Attach to all data centers …', unglobalize: 'Only to chosen data centers …' }],
  [always('pull'),                                                            { pull: 'Bring onto nodes …' }],
  [({ deprecated }) => (deprecated ? 'undeprecate' : 'deprecate'),            { deprecate: 'Deprecate …', undeprecate: 'Take deprecation back …' }],
  [({ access }) => (access === 4 ? 'restore' : 'retire'),                     { retire: 'Retire …', restore: 'Offer again …' }],
  [always('delete'),                                                          { delete: 'Delete …' }],
];

const grave: ReadonlySet<Action> = new Set(['retire', 'delete']);

/** What the server says can be done, and what can not be done now, with its reason. */
function actionsOf(image: ShownImage, act: (action: Action) => void, beside: Action | undefined): MenuAction[] {
  return lines.flatMap(([pick, labels]) => {
    const action = pick(image);
    if (action === undefined || action === beside) return [];
    const reason = image.may_not[action];
    if (reason === undefined && !image.may.includes(action)) return [];
    return { label: labels[action] ?? action, reason, isGrave: grave.has(action), act: () => act(action) };
  });
}

interface MenuProps {
  image: ShownImage;
  act: (action: Action) => void;
  /** What has a button of its own beside the menu. */
  beside?: Action;
}

/** The menu alone: nothing where nothing is permitted. */
export function ImageMenu({ image, act, beside }: MenuProps) {
  const actions = actionsOf(image, act, beside);
  if (actions.length === 0) return null;
  return (
    <Menu label="Actions" title={`actions of ${image.name}`}>
      <MenuActions actions={actions} />
    </Menu>
  );
}

const dialogs: Partial<Record<Action, ComponentType<Doing & { again: () => unknown }>>> = {
  update: ChangeImage,
  label: LabelImage,
  share: ShareImage,
  attach: AttachImage,
  detach: DetachImage,
  pull: BringOntoNodes,
  deprecate: DeprecateImage,
};

interface DialogProps {
  image: ShownImage;
  action: Action;
  close: () => void;
  refresh: (action: Action) => void;
}

/** The dialog of an action, which outlives the row that it was opened from. */
export function ImageDialog({ image, action, close, refresh }: DialogProps) {
  const [seen, again] = useSeen(image);
  const done = (words: string) => {
    toast(words);
    refresh(action);
  };
  const doing = { image: seen, again, close, done };
  const Shown = dialogs[action];
  if (Shown) return <Shown {...doing} />;
  return action in plain ? <PlainDialog {...doing} action={action as PlainAction} /> : null;
}

interface Props {
  image: ShownImage;
  /** Something was done to it. */
  refresh: (action: Action) => void;
  beside?: Action;
}

/** All that can be done with an image, in a menu. */
export function ImageActions({ image, refresh, beside }: Props) {
  const [action, act] = useState<Action>();
  return (
    <>
      <ImageMenu image={image} act={act} {...(beside && { beside })} />
      {action && <ImageDialog image={image} action={action} close={() => act(undefined)} refresh={refresh} />}
    </>
  );
}

import type { ComponentType } from 'preact';
import { useState } from 'preact/hooks';
import { BringOntoNodes } from './campaign-form.js';
import type { Action, ShownImage } from './image-ask.js';
import { ChangeImage } from './image-change.js';
import { DetachImage } from './image-detach.js';
import { DeprecateImage, LabelImage } from './image-edit.js';
import { type Doing, useSeen } from './image-form.js';
import { AttachImage, ConfineImage } from './image-place.js';
import { type PlainAction, PlainDialog, plain } from './image-plain.js';
import { ShareImage } from './image-share.js';
import { Menu, type MenuAction, MenuActions } from './menu.js';
import { toast } from './toasts.js';

/** What is done in the console's own way, by the law of an action. */
export type Deed = Action | 'confine';

const lawOf = (deed: Deed, { global }: ShownImage): Action =>
  deed !== 'confine' ? deed : global ? 'unglobalize' : 'attach';

type Pick = (image: ShownImage) => Deed | undefined;

const always =
  (deed: Deed): Pick =>
  () =>
    deed;

/** Which of two that take each other back; none where it has no meaning any more. */
// biome-ignore format: a table is read down its columns
const lines: readonly (readonly [pick: Pick, labels: Partial<Record<Deed, string>>])[] = [
  [always('update'),                                                          { update: 'Change …' }],
  [always('label'),                                                           { label: 'Label …' }],
  [({ state }) => (/^(active|disabled)$/.test(state) ? undefined : 'activate'), { activate: 'Activate …' }],
  [({ golden }) => (golden ? 'ungolden' : 'golden'),                          { golden: 'Mark as golden …', ungolden: 'Take golden away …' }],
  [always('share'),                                                           { share: 'Share with groups and users …' }],
  [({ access }) => (access === 1 ? 'unpublish' : 'publish'),                  { publish: 'Make public …', unpublish: 'Make private …' }],
  [always('attach'),                                                          { attach: 'Attach to a data center …' }],
  [always('confine'),                                                         { confine: 'Share with one data center only …' }],
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
function actionsOf(image: ShownImage, act: (deed: Deed) => void, beside: Action | undefined): MenuAction[] {
  return lines.flatMap(([pick, labels]) => {
    const deed = pick(image);
    if (deed === undefined || deed === beside) return [];
    const action = lawOf(deed, image);
    const reason = image.may_not[action];
    if (reason === undefined && !image.may.includes(action)) return [];
    return { label: labels[deed] ?? deed, reason, isGrave: grave.has(action), act: () => act(deed) };
  });
}

interface MenuProps {
  image: ShownImage;
  act: (deed: Deed) => void;
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

const dialogs: Partial<Record<Deed, ComponentType<Doing & { again: () => unknown }>>> = {
  update: ChangeImage,
  label: LabelImage,
  share: ShareImage,
  attach: AttachImage,
  confine: ConfineImage,
  detach: DetachImage,
  pull: BringOntoNodes,
  deprecate: DeprecateImage,
};

interface DialogProps {
  image: ShownImage;
  deed: Deed;
  close: () => void;
  refresh: (action: Action) => void;
}

/** The dialog of an action, which outlives the row that it was opened from. */
export function ImageDialog({ image, deed, close, refresh }: DialogProps) {
  const [seen, again] = useSeen(image);
  const done = (words: string) => {
    toast(words);
    refresh(lawOf(deed, image));
  };
  const doing = { image: seen, again, close, done };
  const Shown = dialogs[deed];
  if (Shown) return <Shown {...doing} />;
  return deed in plain ? <PlainDialog {...doing} action={deed as PlainAction} /> : null;
}

interface Props {
  image: ShownImage;
  /** Something was done to it. */
  refresh: (action: Action) => void;
  beside?: Action;
}

/** All that can be done with an image, in a menu. */
export function ImageActions({ image, refresh, beside }: Props) {
  const [deed, act] = useState<Deed>();
  return (
    <>
      <ImageMenu image={image} act={act} {...(beside && { beside })} />
      {deed && <ImageDialog image={image} deed={deed} close={() => act(undefined)} refresh={refresh} />}
    </>
  );
}

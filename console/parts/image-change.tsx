import { part } from '../api/ask.js';
import { Change } from './change.js';
import { useUserNames } from './datacenter-form.js';
import { Dialog } from './dialog.js';
import type { Field } from './form.js';
import { mistyped } from './mistyped.js';
import { Opens } from './open.js';
import { toast } from './toasts.js';
import type { Image } from './use-image.js';

const PUBLIC = '1';

interface Values extends Pick<Image, 'alias' | 'version' | 'desc' | 'owner' | 'tags' | 'resize' | 'deploy' | 'golden'> {
  homepage: string;
  access: string;
  /** The name, typed again by whoever shows it to everybody. */
  sure: string;
}

const from = ({ alias, version, desc, owner, tags, resize, deploy, golden, homepage, access }: Image): Values => ({
  ...{ alias, version, desc, owner, tags, resize, deploy, golden },
  homepage: homepage ?? '',
  access: String(access),
  sure: '',
});

const accesses = [
  ['3', 'private: its owner, the administrators, and whom it is shared with'],
  [PUBLIC, 'public: everybody in its data centers'],
  ['4', 'deleted: offered to nobody, kept for the machines that use it'],
] as const;

// biome-ignore format: a table is read down its columns
const fieldsOf = (image: Image, owners: readonly string[]): readonly Field<Values>[] => [
  { name: 'alias',    label: 'Name', isRequired: true, hint: 'in its manifest; the key stays' },
  { name: 'version',  label: 'Version', isRequired: true },
  { name: 'desc',     label: 'Description' },
  { name: 'homepage', label: 'Homepage', hint: 'an http or https address' },
  { name: 'tags',     label: 'Tags', kind: 'words', hint: 'with commas between them: machines inherit them' },
  { name: 'access',   label: 'Access', kind: 'choice', choices: image.access === 9 ? [['9', 'internal'], ...accesses] : accesses },
  { name: 'sure',     label: `Type ${image.name} to show it to everybody`, isRequired: true, isProof: true, when: ({ access }) => access === PUBLIC && image.access !== 1 },
  { name: 'owner',    label: 'Owner', suggestions: owners, hint: 'an active user, by name' },
  { name: 'golden',   label: 'Golden: the one to take', kind: 'check' },
  { name: 'resize',   label: 'Disks made of it may be larger', kind: 'check', isAdvanced: true },
  { name: 'deploy',   label: 'Its machines switch themselves off when they are set up', kind: 'check', isAdvanced: true },
];

const body = ({ sure: _, ...typed }: Partial<Values>) => typed;

interface DialogProps {
  image: Image;
  close: () => void;
  done: (words: string) => void;
}

/** What its manifest and its registration say, as it is now. */
export function ChangeImage({ image, close, done }: DialogProps) {
  const owners = useUserNames();
  const confirmed = ({ access, sure }: Values) => {
    if (access !== PUBLIC || image.access === 1 || sure.trim() === image.name) return;
    throw mistyped(image.name, 'sure');
  };
  return (
    <Dialog title={`Change ${image.name}`} close={close}>
      <Change<Image, Values>
        path={`/image/${part(image.uuid)}`}
        kinds={['images', 'tasks']}
        fields={fieldsOf(image, owners)}
        from={from}
        body={body}
        confirmed={confirmed}
        isChecked
        cancel={close}
        done={() => {
          done(`${image.name} is changed`);
          close();
        }}
      />
    </Dialog>
  );
}

interface Props {
  image: Image;
  refresh: () => void;
}

/** For whoever may; greyed while something works on it. */
export function ChangeImageButton({ image, refresh }: Props) {
  const reason = image.may_not.update;
  if (!image.may.includes('update') && reason === undefined) return null;
  const done = (words: string) => {
    toast(words);
    refresh();
  };
  return (
    <Opens label="Change …" isMain reason={reason}>
      {(close) => <ChangeImage image={image} done={done} close={close} />}
    </Opens>
  );
}

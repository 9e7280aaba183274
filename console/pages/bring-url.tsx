import { ask, part } from '../api/ask.js';
import { bodyOf, type ImageValues } from '../parts/bring-fields.js';
import { BringFrame } from '../parts/bring-frame.js';
import { useImageFields, useSecretChoices } from '../parts/bring-places.js';
import { Brought, taskOf, useBroughtBy } from '../parts/brought.js';
import { type FileValues, fileBodyOf, fileFields, noFile } from '../parts/file-fields.js';
import { type Field, Form } from '../parts/form.js';
import { go, useQuery } from '../router.js';

interface Values extends ImageValues, FileValues {
  manifest_url: string;
  file_url: string;
  secret: string;
}

const isBare = 'file';

/** An image by the address of its manifest, or of a file that has none. */
export default function BringUrl() {
  const [task, setTask] = useBroughtBy();
  const [of, setOf] = useQuery('of');
  const bare = of === isBare;
  const secrets = useSecretChoices();
  const { fields, initial } = useImageFields<Values>({ way: 'import', hasManifest: !bare });
  const addresses: Field<Values>[] = bare
    ? [{ name: 'file_url', label: 'Address of the file', isRequired: true, hint: 'http or https' }]
    : [
        { name: 'manifest_url', label: 'Address of the manifest', isRequired: true, hint: 'http or https' },
        {
          name: 'file_url',
          label: 'Address of the file',
          hint: 'the address of the manifest with /file behind it, where this is empty',
          isAdvanced: true,
        },
      ];
  const secret: Field<Values> = {
    name: 'secret',
    label: 'Credentials',
    kind: 'choice',
    choices: secrets,
    hint: 'a stored secret, which is told to its own host only',
    isAdvanced: true,
  };
  const bodyFor = ({ manifest_url, file_url, secret, ...values }: Values) => ({
    ...bodyOf(onlyImage(values)),
    ...(bare ? fileBodyOf(values) : manifest_url && { manifest_url }),
    ...(file_url && { file_url }),
    ...(secret && { secret }),
  });
  const pathFor = ({ name }: Values) => `/image/${part(name || '-')}`;
  const submit = async (values: Values) => {
    const task = taskOf(await ask(pathFor(values), { method: 'POST', body: bodyFor(values) }));
    if (task !== undefined) setTask(task);
    else go(pathFor(values));
  };
  return (
    <BringFrame path="/bring/url">
      {task ? (
        <Brought task={task} again={() => setTask('')} />
      ) : (
        <div class="narrow">
          <fieldset class="ways plain" aria-label="what is at the address">
            <button type="button" aria-pressed={!bare} onClick={() => setOf('')}>
              A manifest
            </button>
            <button type="button" aria-pressed={bare} onClick={() => setOf(isBare)}>
              A bare file
            </button>
          </fieldset>
          <Form
            key={of}
            name={`bring-url:${of}`}
            fields={[...addresses, ...fields, ...(bare ? fileFields<Values>() : []), secret]}
            initial={{ ...initial, ...noFile, manifest_url: '', file_url: '', secret: '' }}
            submit={submit}
            check={(values, _, signal) =>
              ask(pathFor(values), { method: 'POST', body: bodyFor(values), isCheck: true, signal })
            }
            label="Import"
          />
        </div>
      )}
    </BringFrame>
  );
}

const onlyImage = ({
  os,
  type,
  format,
  compression,
  image_size,
  size,
  sha1,
  sha256,
  ...image
}: ImageValues & FileValues) => image;

import { type Answer, ask, part } from '../api/ask.js';
import { bodyOf, type ImageValues } from './bring-fields.js';
import { useImageFields, useSecretChoices } from './bring-places.js';
import { type FileValues, fileBodyOf, fileFields, noFile } from './file-fields.js';
import { Form } from './form.js';
import { secretField } from './secret-field.js';

interface Values extends ImageValues, FileValues {
  file_url: string;
  secret: string;
}

/** An image by the address of a file that no manifest describes: what there is to say of it is said by hand. */
export function ImportFile({ begun }: { begun: (answer: Answer<unknown>) => void }) {
  const secrets = useSecretChoices();
  const { fields, initial } = useImageFields<Values>({ way: 'import' });
  const pathFor = ({ name }: Values) => `/image/${part(name || '-')}`;
  const bodyFor = ({ file_url, secret, ...values }: Values) => ({
    ...bodyOf(onlyImage(values)),
    ...fileBodyOf(values),
    ...(file_url && { file_url }),
    ...(secret && { secret }),
  });
  const post = (values: Values) => ({ method: 'POST', body: bodyFor(values) }) as const;
  return (
    <Form
      name="bring-url:file"
      fields={[
        { name: 'file_url', label: 'Address of the file', isRequired: true, hint: 'http or https' },
        ...fields,
        ...fileFields<Values>(),
        secretField(secrets),
      ]}
      initial={{ ...initial, ...noFile, file_url: '', secret: '' }}
      submit={async (values) => begun(await ask(pathFor(values), post(values)))}
      check={(values, _, signal) => ask(pathFor(values), { ...post(values), isCheck: true, signal })}
      label="Import"
    />
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

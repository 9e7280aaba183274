import { type Answer, ask, part } from '../api/ask.js';
import { bodyOf, type ImageValues, unsaid } from './bring-fields.js';
import { useImageFields, useSecretChoices } from './bring-places.js';
import { type Field, Form } from './form.js';
import { ManifestTold } from './manifest-told.js';
import { secretField } from './secret-field.js';
import { together, useManifest } from './use-manifest.js';

interface Values extends ImageValues {
  manifest_url: string;
  file_url: string;
  secret: string;
}

/** An image by the address of its manifest, from which the fields take what nobody types over. */
export function ImportManifest({ begun }: { begun: (answer: Answer<unknown>) => void }) {
  const secrets = useSecretChoices();
  const { fields, initial } = useImageFields<Values>({ way: 'import', hasManifest: true });
  const manifest = useManifest();
  const told = manifest.last;
  const all: Field<Values>[] = [
    { name: 'manifest_url', label: 'Address of the manifest', isRequired: true, hint: 'http or https' },
    ...fields,
    {
      name: 'file_url',
      label: 'Address of the file',
      hint: 'the address of the manifest with /file behind it, where this is empty',
      isAdvanced: true,
    },
    secretField(secrets),
  ];
  const pathFor = (name: string) => `/image/${part(name || '-')}`;
  // What nobody has typed over is as in the manifest, of which the form shows no more than a likeness.
  const bodyFor = (values: Values, { manifest_url: _, file_url: __, secret: ___, ...typed }: Partial<Values>) => ({
    ...bodyOf({ ...unsaid, dc: values.dc, ...typed }),
    ...(values.manifest_url && { manifest_url: values.manifest_url }),
    ...(values.file_url && { file_url: values.file_url }),
    ...(values.secret && { secret: values.secret }),
  });
  const post = (values: Values, typed: Partial<Values>) => ({ method: 'POST', body: bodyFor(values, typed) }) as const;
  return (
    <Form
      name="bring-url:"
      fields={all}
      initial={{
        ...initial,
        ...(told && { name: told.key, alias: told.name, version: told.version, desc: told.desc }),
        ...{ manifest_url: '', file_url: '', secret: '' },
      }}
      submit={async (values, typed) => {
        // Whoever is quicker than the server may not have seen yet how it is called.
        const { key } = await manifest.read(values);
        begun(await ask(pathFor(typed.name ?? key), post(values, typed)));
      }}
      check={(values, typed, signal) =>
        together(manifest.read(values), ask(pathFor(values.name), { ...post(values, typed), isCheck: true, signal }))
      }
      told={(values) => {
        const of = manifest.of(values);
        return of && <ManifestTold manifest={of} />;
      }}
      label="Import"
    />
  );
}

import { ask } from '../api/ask.js';
import { type ImageValues, unsaid } from '../parts/bring-fields.js';
import { BringFrame } from '../parts/bring-frame.js';
import { useImageFields, useSecretChoices } from '../parts/bring-places.js';
import { Brought, useBroughtBy } from '../parts/brought.js';
import { type Field, Form } from '../parts/form.js';
import { useQuery } from '../router.js';

interface Values extends Pick<ImageValues, 'dc' | 'dc_bound'> {
  image: string;
  secret: string;
  access: string;
}

const kinds = {
  docker: { title: 'A container', hint: 'REPO:TAG or REPO@sha256:DIGEST; of docker.io where no registry is named' },
  lxd: { title: 'LXD or Incus', hint: 'SERVER:ALIAS, such as images:alpine/3.18' },
} as const;

/** Containers, and images of the servers for LXD. Each layer of a container becomes an image. */
export default function BringRegistry() {
  const [task, setTask] = useBroughtBy();
  const [of, setOf] = useQuery('of');
  const kind = of === 'lxd' ? 'lxd' : 'docker';
  const secrets = useSecretChoices();
  const { fields, initial } = useImageFields<ImageValues>({ way: 'import' });
  const place = fields.filter(({ name }) => name === 'dc' || name === 'dc_bound') as unknown as Field<Values>[];
  const shown: Field<Values>[] = [
    { name: 'image', label: 'Image', isRequired: true, hint: kinds[kind].hint },
    ...place,
    { name: 'access', label: 'Access', kind: 'choice', choices: ['private', 'public'].map((one) => [one, one]) },
    ...(kind === 'docker'
      ? ([{ name: 'secret', label: 'Login', kind: 'choice', choices: secrets, isAdvanced: true }] as const)
      : []),
  ];
  const bodyFor = ({ image, dc, dc_bound, access, secret }: Values) => ({
    image,
    access,
    ...(dc && { dc }),
    ...(!dc_bound && { dc_bound }),
    ...(kind === 'docker' && secret && { secret }),
  });
  const submit = async (values: Values) => {
    const begun = await ask(`/registry/${kind}`, { method: 'POST', body: bodyFor(values) });
    setTask(begun.task ?? '');
  };
  return (
    <BringFrame path="/bring/registry">
      {task ? (
        <Brought task={task} again={() => setTask('')} />
      ) : (
        <div class="narrow">
          <fieldset class="ways plain" aria-label="which registry">
            {Object.entries(kinds).map(([name, { title }]) => (
              <button key={name} type="button" aria-pressed={kind === name} onClick={() => setOf(name)}>
                {title}
              </button>
            ))}
          </fieldset>
          <Form
            key={kind}
            name={`bring-registry:${kind}`}
            fields={shown}
            initial={{ image: '', secret: '', access: 'private', dc: initial.dc, dc_bound: unsaid.dc_bound }}
            submit={submit}
            check={(values, _, signal) =>
              ask(`/registry/${kind}`, { method: 'POST', body: bodyFor(values), isCheck: true, signal })
            }
            label="Import"
          />
        </div>
      )}
    </BringFrame>
  );
}

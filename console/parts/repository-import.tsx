import { ask, part } from '../api/ask.js';
import { go, Link } from '../router.js';
import { useAccount } from '../session.js';
import { bodyOf, datacentersFor, type ImageValues, unsaid } from './bring-fields.js';
import { useImageFields } from './bring-places.js';
import { taskOf } from './brought.js';
import { Builds } from './builds.js';
import { Dialog } from './dialog.js';
import { Form } from './form.js';
import type { Remote } from './remote.js';
import { RemoteFacts } from './remote-facts.js';
import { toast } from './toasts.js';

interface Props {
  repository: string;
  remote: Remote;
  close: () => void;
  begun: (task: string) => void;
}

/** All that is known of an image of a repository, and the form that imports it. */
export function RepositoryImport({ repository, remote, close, begun }: Props) {
  const { uuid, name, version, desc, registered: isHere, manifest } = remote;
  const account = useAccount();
  const mayImport = account.super_admin || datacentersFor(account, 'import').length > 0;
  const { fields, initial } = useImageFields<ImageValues>({ way: 'import', hasManifest: true });
  const path = `/imagestore/${part(repository)}/image/${part(uuid)}`;
  // What nobody has typed over is as in the manifest, of which the form shows no more than a likeness.
  const bodyFor = ({ dc }: ImageValues, typed: Partial<ImageValues>) => ({
    ...bodyOf({ ...unsaid, dc, ...typed }),
    ...(typed.name && { name: typed.name }),
  });
  const submit = async (values: ImageValues, typed: Partial<ImageValues>) => {
    const task = taskOf(await ask(path, { method: 'POST', body: bodyFor(values, typed) }));
    if (task !== undefined) return begun(task);
    toast(`${name} ${version} is registered`);
    go(`/image/${part(uuid)}`);
  };
  return (
    <Dialog title={`${name} ${version}`} close={close}>
      <dl class="facts">
        <RemoteFacts of={remote} />
      </dl>
      <details>
        <summary>Manifest</summary>
        <pre>{JSON.stringify(manifest, null, 2)}</pre>
      </details>
      {!isHere && !mayImport && (
        <p class="quiet">To import it takes the roles image_admin and image_import_admin in one data center.</p>
      )}
      {isHere ? (
        <p>
          It is here already: <Link to={`/image/${part(uuid)}`}>look at it</Link>.
        </p>
      ) : (
        mayImport && (
          <>
            <Builds repository={repository} remote={remote} />
            <Form
              name={`import:${repository}:${uuid}`}
              fields={fields}
              initial={{ ...initial, name, alias: name, version, desc }}
              submit={submit}
              check={(values, typed, signal) =>
                ask(path, { method: 'POST', body: bodyFor(values, typed), isCheck: true, signal })
              }
              label="Import"
              cancel={close}
            />
          </>
        )
      )}
    </Dialog>
  );
}

import { isRecord } from '../../imgapi/checks.js';
import { ImgapiError, wrongParameter } from '../../imgapi/errors.js';
import { DIGEST, parseRepository, type RepositoryName, TAG } from '../../storage/registry.js';

/** An image at a registry of containers. */
export interface DockerWish {
  repo: RepositoryName;
  tag?: string;
  digest?: string;
  login?: Login | undefined;
  /** Of a stored secret, which is the login then. */
  secret?: string | undefined;
  visible: boolean;
}

export interface Login {
  user: string;
  password: string;
}

type Asked = Record<'repo' | 'tag' | 'digest', string | undefined>;

export function readDockerImage({ repo, tag, digest }: Asked): Pick<DockerWish, 'repo' | 'tag' | 'digest'> {
  if (!repo) throw wrongParameter('repo', 'MissingParameter', 'repo is missing');
  if (!tag && !digest) throw wrongParameter('tag', 'MissingParameter', 'neither tag nor digest is given');
  if (tag && digest) throw wrongParameter('digest', 'Invalid', 'both tag and digest are given');
  const name = parseRepository(repo);
  if (!name) throw wrongParameter('repo', 'Invalid', `repo "${repo}" is not the name of a repository`);
  if (tag && !TAG.test(tag)) throw wrongParameter('tag', 'Invalid', `tag "${tag}" is not a tag`);
  if (digest && !DIGEST.test(digest))
    throw wrongParameter('digest', 'Invalid', `digest "${digest}" is no sha256 digest`);
  return { repo: name, ...(tag && { tag }), ...(digest && { digest }) };
}

/** A tag may mean something else by now: a digest that is known is what is meant. */
export const referenceOf = ({ tag, digest }: Pick<DockerWish, 'tag' | 'digest'>) => digest ?? tag ?? '';

/** As docker's clients write it. */
export const shownImage = ({ repo, tag, digest }: Pick<DockerWish, 'repo' | 'tag' | 'digest'>) =>
  tag === undefined ? `${repo.local}@${digest}` : `${repo.local}:${tag}`;

const HUB_OF_OLD = 'https://index.docker.io/v1/';

/** The name and password in docker's headers: one for this registry, or one of a table of registries. Nonsense is none. */
export function readLogin({ registry }: RepositoryName, auth: string, config: string): Login | undefined {
  const table = decoded(config);
  const listed = table[registry] ?? (registry === 'docker.io' ? table[HUB_OF_OLD] : undefined);
  const given = auth === '' ? {} : decoded(auth);
  const { username, password, identitytoken } = Object.keys(given).length > 0 ? given : isRecord(listed) ? listed : {};
  if (identitytoken) throw new ImgapiError('NotImplemented', 'identity tokens are not taken: log in with a password');
  if (typeof username !== 'string' || username === '') return undefined;
  return { user: username, password: typeof password === 'string' ? password : '' };
}

function decoded(header: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(header, 'base64').toString());
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}

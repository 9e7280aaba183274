import { ImgapiError } from '../../imgapi/errors.js';
import type { Credentials } from '../../imgapi/exchange.js';
import type { Catalog } from '../../storage/catalog.js';
import { isFor, purposeOf, type Secret, secretRef, secrets } from '../model/secret.js';
import type { Seals } from '../sealing/seals.js';

/** The stored credentials, sealed as they are; each is opened when it is told to its host. */
export class Vault {
  readonly #secrets = new Map<string, Secret>();
  #unfollow = () => {};

  private constructor(private readonly seals: Pick<Seals, 'open' | 'opens' | 'what'>) {}

  static async open(catalog: Catalog, seals: Pick<Seals, 'open' | 'opens' | 'what'>): Promise<Vault> {
    const vault = new Vault(seals);
    const changed = new Set<string>();
    vault.#unfollow = catalog.follow(secrets, (changes) => {
      for (const { id, record } of changes) {
        changed.add(id);
        if (record) vault.#secrets.set(id, record);
        else vault.#secrets.delete(id);
      }
    });
    for await (const secret of catalog.list(secrets)) {
      if (!changed.has(secretRef(secret))) vault.#secrets.set(secretRef(secret), secret);
    }
    return vault;
  }

  /** None for any other host than the secret's; throws where it is gone, or its seal does not open. */
  credentialsFor(ref: string, url: URL): Credentials | undefined {
    const secret = this.#secrets.get(ref);
    if (!secret) {
      throw new ImgapiError('ServiceUnavailableError', `there is no secret "${ref}" any more: name another one`);
    }
    if (!isFor(secret, url)) return undefined;
    const value = this.seals.open(secret.sealed, purposeOf(secret));
    if (secret.type === 'bearer') return { kind: 'bearer', token: value };
    return { kind: 'basic', user: secret.username ?? '', password: value };
  }

  /** Of type ssh-key, in whose data center nothing else stands; throws where there is none, or its seal does not open. */
  privateKey(ref: string): string {
    const secret = this.#secrets.get(ref);
    if (secret?.type !== 'ssh-key') {
      throw new ImgapiError('ServiceUnavailableError', `there is no ssh key "${ref}" any more: name another one`);
    }
    return this.seals.open(secret.sealed, purposeOf(secret));
  }

  /** What operators should know; nothing while all is well. */
  get remark(): string | undefined {
    const shut = [...this.#secrets.values()].filter(({ sealed }) => !this.seals.opens(sealed)).map(secretRef);
    if (shut.length === 0) return undefined;
    const names = shut.slice(0, 10).join(', ') + (shut.length > 10 ? ` and ${shut.length - 10} others` : '');
    return (
      `the key in ${this.seals.what} is not the one that these secrets were sealed with: ${names}. Nothing is lost: ` +
      'put the right key back and start again, or set them anew; until then their sources fail'
    );
  }

  close(): void {
    this.#unfollow();
    this.#secrets.clear();
  }
}

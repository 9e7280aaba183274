const reasons: Record<string, string> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a directory',
  EACCES: 'this user may not read it',
  ERR_OSSL_PEM_NO_START_LINE: 'this is no PEM',
  ERR_OSSL_X509_KEY_VALUES_MISMATCH: 'the key is that of another certificate',
};

/** Why a file could not be read, or used, in words. */
export function reasonOf(error: unknown): string {
  const { code = '', message = String(error) } = error as NodeJS.ErrnoException;
  return reasons[code] ?? message;
}

import { readFileSync } from 'node:fs';
import { OperatorMistake } from '../model/operator-mistake.js';
import { readSecretsKey } from '../sealing/secrets-key.js';
import { tryCertificate } from '../tls/read-certificate.js';
import { privateText } from './private-text.js';
import { reasonOf } from './reason-of.js';
import type { Settings } from './settings.js';

/** Whether the files that settings name are there, and are what they should be. */
export const checkFiles = (settings: Settings, env: NodeJS.ProcessEnv): string[] => [
  ...checkCertificate(settings),
  ...checkSecret(settings, env),
  ...checkSecretsKey(settings),
];

function checkSecret({ openidSecret }: Settings, env: NodeJS.ProcessEnv): string[] {
  try {
    if (openidSecret !== undefined) privateText(openidSecret, env);
    return [];
  } catch (error) {
    return [`openidSecret: ${reasonOf(error)}`];
  }
}

/** A variable is set where the daemon is started, and not where somebody looks at its configuration. */
function checkSecretsKey({ secretsKey }: Settings): string[] {
  if (secretsKey === undefined || secretsKey.startsWith('env:')) return [];
  try {
    readSecretsKey(secretsKey, secretsKey, {});
    return [];
  } catch (error) {
    if (error instanceof OperatorMistake) return [error.message];
    return [`secretsKey: can not read "${secretsKey}": ${reasonOf(error)}`];
  }
}

function checkCertificate({ tlsCertificate, tlsKey }: Settings): string[] {
  const certificate = readPem('tlsCertificate', tlsCertificate);
  const key = readPem('tlsKey', tlsKey);
  const problems = [certificate, key].flatMap((file) => file?.problem ?? []);
  if (certificate?.content === undefined || key?.content === undefined) return problems;
  try {
    tryCertificate({ certificate: `${tlsCertificate}`, key: `${tlsKey}` }, certificate.content, key.content);
    return [];
  } catch (error) {
    return [`tlsCertificate and tlsKey: ${reasonOf(error)}`];
  }
}

function readPem(key: string, path: string | undefined): { content?: string; problem?: string } | undefined {
  if (path === undefined) return undefined;
  try {
    const content = readFileSync(path, 'utf8');
    return content.trim() === '' ? { problem: `${key}: "${path}" is empty` } : { content };
  } catch (error) {
    return { problem: `${key}: can not read "${path}": ${reasonOf(error)}` };
  }
}

import { privateText } from '../config/private-text.js';
import type { Settings } from '../config/settings.js';
import type { OpenIdRules } from '../model/openid.js';
import { type IssuerOptions, type OpenIdIssuer, openIssuer } from './issuer.js';

/** Nothing where no issuer is configured. */
export function rulesOf(settings: Settings): OpenIdRules | undefined {
  const { openidIssuer: issuer, openidName: name, openidGroups: groups, openidGroupMap: groupMap } = settings;
  const { openidCreates: creates, openidBinds: binds, openidLabel: label } = settings;
  return issuer === undefined ? undefined : { issuer, name, groups, groupMap, creates, binds, label };
}

export async function openConfiguredIssuer(
  settings: Settings,
  env: NodeJS.ProcessEnv,
  means: Pick<IssuerOptions, 'outgoing' | 'now'>,
): Promise<OpenIdIssuer | undefined> {
  const rules = rulesOf(settings);
  const { openidClient: client, openidSecret, openidScopes: scopes, publicUrl } = settings;
  if (!rules || client === undefined || publicUrl === undefined) return undefined;
  const secret = openidSecret === undefined ? undefined : privateText(openidSecret, env);
  return openIssuer({ ...means, rules, client, secret, scopes, publicUrl });
}

import type { Locator, Page } from 'playwright-core';
import { hashPassword } from '../../server/model/password.js';
import { users } from '../../server/model/user.js';
import type { TestServer } from './server.js';

export const PASSWORD = 'correct horse battery';
/** Quick to try. */
const cheap = await hashPassword(PASSWORD, { ln: 10, r: 8, p: 1 });

/** Somebody can sign in with the password from here on. */
export const givePassword = ({ deps }: TestServer, name: string): Promise<void> =>
  deps.catalog.write(async (tx) => {
    const user = await tx.find(users, `name:${name}`);
    await tx.replace(users, { ...user!, password: cheap });
  });

/** What people fill in who sign in. */
export async function signInAs(page: Page, name: string, password = PASSWORD): Promise<void> {
  const dialog = signInOf(page);
  await dialog.getByLabel('User').fill(name);
  await dialog.getByLabel('Password').fill(password);
  await dialog.getByRole('button', { name: 'Sign in', exact: true }).click();
}

export const signInOf = (page: Page): Locator =>
  page.getByRole('dialog', { name: /^(Sign in to Slipway|Your session has ended)$/ });

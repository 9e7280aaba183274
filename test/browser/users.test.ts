import { users } from '../../server/model/user.js';
import { confirmed, fillIn, opened, refusedWith, toasted } from '../support/forms.js';
import { addImage, resultOf, said, startFleet } from '../support/managed.js';
import { consoleFiles, seriousOf, takeSeat, test } from '../support/seat.js';
import { sshKey } from '../support/ssh-keys.js';

/** Nobody signs in there: that an issuer is configured is enough to say what it calls somebody. */
const openid = {
  issuer: 'https://issuer.example.com',
  name: 'preferred_username',
  groups: 'groups',
  groupMap: {},
  creates: false,
  binds: false,
  label: 'Sign in at home',
};

test('a SuperAdmin makes a user, changes it, ends its sessions, locks it out and deletes it', async (t) => {
  const server = await startFleet(t, { console: consoleFiles, openid });
  const { page, open, complaints } = await takeSeat(t, server, { token: server.token });
  await open('/users');

  const making = await opened(page, 'Make a user …', 'A new user');
  await fillIn(making, { 'Login name': 'anna', Password: 'short' });
  await refusedWith(making, 'Make it', /is shorter than \d+ characters/);
  await making.getByText('Advanced').click();
  await fillIn(making, { Password: 'correct horse battery', 'Mail address': 'anna@example.com' });
  await fillIn(making, { 'What the OpenID issuer calls the user': 'subject-of-anna' });
  t.deepEqual(await seriousOf(page), []);
  await confirmed(making, 'Make it');
  await page.getByRole('heading', { name: 'anna', level: 1 }).waitFor();
  const shown = async () => resultOf(await server.root('GET', '/api/user/anna'));
  t.like(await shown(), {
    email: 'anna@example.com',
    has_password: true,
    super_admin: false,
    openid_subject: 'subject-of-anna',
  });
  await page.getByText('In none: the user sees public images only.').waitFor();

  const who = page.locator('section').filter({ has: page.getByRole('heading', { name: 'Who it is' }) });
  await fillIn(who, { 'What people call the user': 'Anna', 'Mail address': 'nowhere' });
  await refusedWith(who, 'Save', /is not an address/);
  await fillIn(who, { 'Mail address': 'a@example.com' });
  await who.getByRole('button', { name: 'Save' }).click();
  await toasted(page, 'anna is changed');
  t.like(await shown(), { display_name: 'Anna', email: 'a@example.com', openid_subject: 'subject-of-anna' });

  const adding = await opened(page, 'Add a key …', 'A new key of anna');
  await fillIn(adding, { 'What to call it': 'laptop', 'Its public half': 'ssh-rsa nonsense' });
  await refusedWith(adding, 'Add', /key/);
  const key = await sshKey('ed25519');
  await fillIn(adding, { 'Its public half': key.line });
  await confirmed(adding, 'Add');
  t.deepEqual((await shown()).keys, ['laptop']);
  await confirmed(await opened(page, 'Remove laptop …', 'Remove the key laptop of anna?'), 'Remove');
  await page.getByText('None, beside those in files').waitFor();
  t.deepEqual((await shown()).keys, []);

  // the page may not have been told yet of the key that came and went: what it shows would be refused as old
  await page.reload();
  const power = await opened(page, 'Make SuperAdmin …', 'Make anna a SuperAdmin?');
  await fillIn(power, { 'Type anna to go on': 'ann' });
  await refusedWith(power, 'Make SuperAdmin', 'is not "anna"');
  await fillIn(power, { 'Type anna to go on': 'anna' });
  await confirmed(power, 'Make SuperAdmin');
  t.true((await shown()).super_admin);

  const hers = await takeSeat(t, server);
  const signIn = () =>
    hers.context.request.post(`${server.url}/api/session`, {
      data: { username: 'anna', password: 'correct horse battery' },
    });
  t.true((await signIn()).ok());
  await hers.open('/users');
  await hers.page.getByRole('link', { name: 'mia', exact: true }).waitFor();
  await page
    .getByRole('list', { name: 'sessions' })
    .getByText(/by password/)
    .waitFor();
  await confirmed(await opened(page, 'Sign out from 127.0.0.1 …', 'Sign anna out from 127.0.0.1?'), 'Sign out');
  await toasted(page, 'anna is signed out from 127.0.0.1');
  t.is((await hers.context.request.get(`${server.url}/api/account`)).status(), 401);

  t.true((await signIn()).ok());
  await confirmed(await opened(page, 'Deactivate …', 'Deactivate anna?'), 'Deactivate');
  await page.getByText(/^locked out/).waitFor();
  const refused = await hers.context.request.get(`${server.url}/api/account`);
  t.is(refused.status(), 403);
  t.regex(await refused.text(), /the user \\"anna\\" is not active/);
  t.is((await signIn()).ok(), false);

  const given = addImage(server, 'base', { owner: 'anna' });
  await t.throwsAsync(given, { message: /anna/ }, 'who is locked out gets nothing');
  await confirmed(await opened(page, 'Activate …', 'Activate anna?'), 'Activate');
  await page.getByRole('button', { name: 'Deactivate …' }).waitFor();
  const hers2 = await addImage(server, 'base', { owner: 'anna' });

  const deleting = await opened(page, 'Delete …', 'Delete the user anna?');
  await refusedWith(deleting, 'Delete', /owns the images base/);
  await fillIn(deleting, { 'Give it to': 'nobody' });
  await refusedWith(deleting, 'Give it away and delete', /"nobody" is not known/);
  await fillIn(deleting, { 'Give it to': 'eve' });
  await confirmed(deleting, 'Give it away and delete');
  await page.getByRole('heading', { name: 'Users', level: 1 }).waitFor();
  await page.getByRole('link', { name: 'mia', exact: true }).waitFor();
  t.is(await page.getByRole('link', { name: 'anna', exact: true }).count(), 0);
  t.is(said(await server.root('GET', '/api/user/anna')), '404 ResourceNotFound');
  const eve = await server.deps.catalog.find(users, 'name:eve');
  t.is((await server.stored(hers2))?.owner, eve?.uuid);
  t.deepEqual([...complaints, ...hers.complaints], []);
});

test('the last SuperAdmin stays one, and nobody deletes themselves', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const { page, open, complaints } = await takeSeat(t, server, { token: server.token });
  await open('/users/admin');
  const taking = await opened(page, 'Take SuperAdmin away …', 'Is admin to be no SuperAdmin any more?');
  await refusedWith(taking, 'Take it away', /the last active SuperAdmin/);
  await taking.getByRole('button', { name: 'Cancel' }).click();
  const locking = await opened(page, 'Deactivate …', 'Deactivate admin?');
  await refusedWith(locking, 'Deactivate', /the last active SuperAdmin/);
  await locking.getByRole('button', { name: 'Cancel' }).click();
  const remove = page.getByRole('button', { name: 'Delete …' });
  t.is(await remove.getAttribute('aria-disabled'), 'true');
  t.regex(String(await remove.getAttribute('title')), /it is you who asks/);
  t.like(resultOf(await server.root('GET', '/api/user/admin')), { super_admin: true, active: true });
  t.deepEqual(complaints, []);
});

test('everybody has an account page: who they are, what they may, their password and their sessions', async (t) => {
  const server = await startFleet(t, { console: consoleFiles });
  const { page, context, open, complaints } = await takeSeat(t, server, { token: 'token-of-eve' });
  await open('/users');
  await page.getByRole('heading', { name: /not for you|no such page/i }).waitFor();

  await open('/account');
  await page.getByText('import images into it').waitFor();
  await fillIn(page, { 'What people call me': 'Eve' });
  await page.getByRole('button', { name: 'Save' }).click();
  await toasted(page, 'your account is changed');
  t.like(resultOf(await server.eve('GET', '/api/user/eve')), { display_name: 'Eve', has_password: false });

  const setting = await opened(page, 'Set a password …', 'A new password');
  await fillIn(setting, { 'New password': 'correct horse battery', 'Once more': 'correct house battery' });
  await refusedWith(setting, 'Set', 'is not the same');
  await fillIn(setting, { 'Once more': 'correct horse battery' });
  await confirmed(setting, 'Set');
  const other = await takeSeat(t, server);
  const data = { username: 'eve', password: 'correct horse battery' };
  t.true((await other.context.request.post(`${server.url}/api/session`, { data })).ok());

  await page.reload();
  const sessions = page.getByRole('list', { name: 'sessions' });
  await sessions.getByText('by password').waitFor();
  await sessions.getByText('this one', { exact: true }).waitFor();
  await confirmed(await opened(page, 'Sign out everywhere …', 'Sign eve out everywhere?'), 'Sign out everywhere');
  await page.getByRole('button', { name: /^sign in$/i }).waitFor();
  for (const one of [context, other.context]) {
    t.is((await one.request.get(`${server.url}/api/account`)).status(), 401);
  }
  t.deepEqual(complaints, []);
});

import { tooWide, whole } from '../support/every-page.js';
import { startFilled } from '../support/filled.js';
import { takeSeat, test } from '../support/seat.js';

/** A whole page of it in the words of somebody who means harm. */
const HARM = '<img src=x onerror="globalThis.harm=1"><script>globalThis.harm=1</script>';

test('the page holds nothing that runs or styles inside itself, and its policy lets nothing in', async (t) => {
  const server = await startFilled(t);
  const { headers, bytes, status } = await server.ask('GET', '/console/image/base');
  t.is(status, 200);
  const policy = String(headers['content-security-policy']);
  t.notRegex(policy, /unsafe|\*|https?:/);
  for (const rule of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"])
    t.true(policy.split('; ').includes(rule), rule);
  t.notRegex(String(bytes), /<style|<script(?![^>]* src=)| style=| on\w+=/i);

  const { page, open, complaints } = await takeSeat(t, server, { token: server.token });
  await open('/image/base');
  await whole(page);
  t.deepEqual(complaints, []);
  // What would have come in by a fault of ours is held by the browser.
  await page.evaluate(`(() => {
    const script = document.createElement('script');
    script.textContent = 'globalThis.harm = 1';
    document.body.append(script);
    document.body.insertAdjacentHTML('beforeend', '<b onclick="globalThis.harm = 1">b</b>');
    document.querySelector('b').click();
  })()`);
  const elsewhere = await page.evaluate(`fetch('http://localhost:1/').then(() => 'let out', (error) => error.name)`);
  t.is(elsewhere, 'TypeError');
  t.is(await page.evaluate('globalThis.harm'), undefined);
  while (complaints.length < 3) await page.evaluate('0'); // they come by another way
  t.is(complaints.filter((line) => /Content Security Policy/.test(line)).length, complaints.length);
  t.true(complaints.length >= 3);
});

test('what people have written is shown as they wrote it', async (t) => {
  const server = await startFilled(t);
  const { uuid } = await server.image({ name: 'x'.repeat(512), description: `\u202e${HARM}` });
  const phone = { viewport: { width: 390, height: 844 } };
  const { page, open, complaints } = await takeSeat(t, server, { token: server.token, ...phone });
  for (const at of ['/', `/image/${uuid}`]) {
    await open(at);
    await whole(page);
    t.deepEqual(await tooWide(page), [], at);
  }
  await page.getByText(HARM).first().waitFor();
  t.is(await page.evaluate('globalThis.harm'), undefined);
  t.deepEqual(complaints, []);
});

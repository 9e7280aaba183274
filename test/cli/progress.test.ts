import test from 'ava';
import { progressLine, withProgress } from '../../cli/progress.js';
import { gate } from '../support/gate.js';
import { terminal } from '../support/terminal.js';

const MIB = 1024 ** 2;

test('a line tells what, how much, how fast and how long yet', (t) => {
  const task = { label: 'base@1.0.0', total: 100 * MIB };
  const samples = [
    { at: 1000, bytes: 0 },
    { at: 3000, bytes: 20 * MIB },
  ];
  t.is(progressLine(task, samples), 'base@1.0.0  [###-------------]  20% of 100.0 MiB  10.0 MiB/s  0:08 left');
  t.is(
    progressLine({ label: 'x', total: 100_000 * MIB }, samples),
    'x  [----------------]   0% of 97.7 GiB  10.0 MiB/s  2:46:38 left',
  );
  t.is(progressLine({ label: 'standard input' }, samples), 'standard input  20.0 MiB  10.0 MiB/s');
});

test('nothing has moved yet, or all has', (t) => {
  const task = { label: 'x', total: 10 };
  t.is(progressLine(task, [{ at: 0, bytes: 0 }]), 'x  [----------------]   0% of 10 B  0 B/s');
  const done = [
    { at: 0, bytes: 0 },
    { at: 1000, bytes: 12 },
  ];
  t.is(progressLine(task, done), 'x  [################] 100% of 10 B  finishing');
});

test('of a long label the end is shown', (t) => {
  const line = progressLine({ label: `/a/long/way/${'x'.repeat(20)}/base-1.0.0.zfs.gz` }, [{ at: 0, bytes: 0 }]);
  t.is(line, `…${'x'.repeat(11)}/base-1.0.0.zfs.gz  0 B  0 B/s`);
});

test('a label can not steer the terminal', (t) => {
  t.false(progressLine({ label: 'x\x1b[2J\n' }, [{ at: 0, bytes: 0 }]).includes('\x1b'));
});

test('on a terminal it is shown, and gone at the end', async (t) => {
  const { io, err } = terminal();
  const shown = gate();
  io.stderr.on('data', shown.open);
  await withProgress(io, { label: 'x', total: 10 }, async (advance) => {
    advance(5);
    await shown.opened;
  });
  t.regex(err(), /^\rx {2}\[########--------\] {2}50% of 10 B/);
  t.true(err().endsWith('\r\x1b[K'));
});

test('a terminal that does not know its width is taken for an ordinary one', async (t) => {
  const { io, err } = terminal();
  io.stderr.columns = 0;
  const shown = gate();
  io.stderr.on('data', shown.open);
  await withProgress(io, { label: 'x'.repeat(40), total: 2 ** 40 }, () => shown.opened);
  const [line = ''] = err().split('\x1b[K');
  t.regex(line, /of 1\.0 TiB/);
  t.true(line.length <= 80);
});

test('what fails takes its line with it', async (t) => {
  const { io, err } = terminal();
  const broken = new Error('no');
  t.is(await t.throwsAsync(withProgress(io, { label: 'x' }, () => Promise.reject(broken))), broken);
  t.true(err().endsWith('\r\x1b[K'));
});

test('elsewhere, and for those who want none, nothing is written', async (t) => {
  const quiet = terminal();
  t.is(await withProgress(quiet.io, { label: 'x', quiet: true }, async () => 'result'), 'result');
  t.is(quiet.err(), '');
  const piped = terminal();
  piped.io.stderr.isTTY = false;
  await withProgress(piped.io, { label: 'x' }, async (advance) => advance(5));
  t.is(piped.err(), '');
});

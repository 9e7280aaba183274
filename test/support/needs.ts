import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { postgresHere } from './postgres.js';
import { canRunSshd } from './sshd.js';

let btrfs: boolean | undefined;

/** Whether the machine has what a test needs beyond Node; a test that is skipped says so in its title. */
export const isMet = {
  /** A filesystem of its own, of a size that we choose. */
  'root, to mount a tmpfs': canMount(),
  bash: !spawnSync('bash', ['-c', ':']).error,
  'ssh-agent and ssh-add': ['ssh-agent', 'ssh-add'].every((name) => !spawnSync(name, ['-?']).error),
  'qemu-img': spawnSync('qemu-img', ['--version']).status === 0,
  'nbdcopy, to read disks without a copy': ['nbdcopy', 'qemu-nbd'].every(
    (name) => spawnSync(name, ['--version']).status === 0,
  ),
  /** Tried only where it is asked for: it takes a while. */
  get 'btrfs, on a file'(): boolean {
    btrfs ??= canMountBtrfs();
    return btrfs;
  },
  'LVM thin, with a device mapper': canMapDevices() && spawnSync('lvs').status === 0,
  bzip2: !spawnSync('bzip2', ['--help']).error,
  xz: !spawnSync('xz', ['--help']).error,
  zstd: !spawnSync('zstd', ['--help']).error,
  'sshd, to be talked to': canRunSshd(),
  'nginx, to run the example': spawnSync('nginx', ['-v']).status === 0,
  'network namespaces, to cut a link': canMakeNamespaces(),
  'zfs, to make a pool on a file': canMakePools(),
  'postgresql, to keep records': postgresHere(),
  'ceph, to keep bytes': ['ceph-mon', 'ceph-mgr', 'ceph-osd', 'radosgw', 'ceph', 'monmaptool'].every(
    (name) => !spawnSync(name, ['--version']).error,
  ),
  'swift, to keep bytes': ['proxy', 'account', 'container', 'object'].every((name) => isThere(`swift-${name}-server`)),
  'chromium, to look at the console': isThere('chromium'),
  'docker-registry, to push to': spawnSync('docker-registry', ['--version']).status === 0,
};

export function mount(directory: string, size: string): boolean {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0700`, 'slipway-test', directory]).status === 0;
}

export function unmount(directory: string): void {
  spawnSync('umount', ['-l', directory]);
}

/** The tools may be there, where nothing in the kernel listens to them. */
function canMapDevices(): boolean {
  return existsSync('/dev/mapper/control') && spawnSync('dmsetup', ['version']).status === 0;
}

/** Without running it: these take a second to say who they are. */
function isThere(program: string): boolean {
  return (process.env.PATH ?? '').split(':').some((directory) => existsSync(join(directory, program)));
}

/** By a daemon that each test has for itself. */
function canMakePools(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  if (!existsSync('/dev/fuse') || spawnSync('zfs-fuse', ['--help']).error) return false;
  return spawnSync('unshare', ['--mount', 'setpriv', '--pdeathsig', 'KILL', 'nsenter', '--version']).status === 0;
}

function canMountBtrfs(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const directory = mkdtempSync(join(tmpdir(), 'slipway-mount-'));
  const [file, place] = [join(directory, 'filesystem'), join(directory, 'place')];
  mkdirSync(place);
  writeFileSync(file, '');
  truncateSync(file, 128 << 20);
  const commands = [
    ['mkfs.btrfs', '-q', file],
    ['mount', '-o', 'loop', file, place],
    ['umount', place],
  ];
  const isMade = commands.every(([command = '', ...args]) => spawnSync(command, args).status === 0);
  rmSync(directory, { recursive: true });
  return isMade;
}

function canMakeNamespaces(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const name = `slipway-try-${process.pid}`;
  if (spawnSync('ip', ['netns', 'add', name]).status !== 0) return false;
  const runs = spawnSync('ip', ['netns', 'exec', name, 'ip', 'link', 'set', 'lo', 'up']).status === 0;
  return spawnSync('ip', ['netns', 'delete', name]).status === 0 && runs;
}

function canMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const directory = mkdtempSync(join(tmpdir(), 'slipway-mount-'));
  const mounted = mount(directory, '64k');
  if (mounted) unmount(directory);
  rmdirSync(directory);
  return mounted;
}

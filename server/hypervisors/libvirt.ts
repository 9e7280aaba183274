import type { MachineState } from '../model/machine-state.js';
import type { Host } from './host.js';
import { partsOf } from './parse-told.js';
import { allAt, type Element, parseXml } from './xml.js';

/** A machine as libvirt defines it. */
export interface Domain {
  uuid: string;
  name: string;
  state: MachineState;
  os?: string;
  /** In the order of their definition; those that are no files have no path. */
  disks: { path?: string; format: string; bus?: string }[];
  nic?: string;
  cpu?: string;
  firmware: 'bios' | 'uefi';
  /** By name, of those that libvirt knows of. */
  snapshots: string[];
}

// LIBVIRT_DEFAULT_URI on the node says which libvirt, where it is not the one of the system.
const PRELUDE = 'LIBVIRT_DEFAULT_URI=$' + '{LIBVIRT_DEFAULT_URI:-qemu:///system}; export LIBVIRT_DEFAULT_URI';

// The package of virsh alone makes no hypervisor: where libvirt has never run, nothing is missed.
const list = `${PRELUDE}
command -v virsh >/dev/null || exit 0
if uuids=$(virsh list --all --uuid); then :; elif [ -d /run/libvirt ]; then exit 1; else exit 0; fi
echo libvirt
for uuid in $uuids; do
  xml=$(virsh dumpxml "$uuid") || { virsh list --all --uuid | grep -qxF "$uuid" && exit 1; continue; }
  printf '%s\\0%s\\0%s\\0%s\\0' "$uuid" "$(virsh domstate "$uuid")" "$xml" "$(virsh snapshot-list "$uuid" --name)"
done`;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const MOST = 64 << 20;

/** The machines of a node where libvirt runs; nothing where it does not. */
export async function domainsOf(host: Host, signal: AbortSignal): Promise<Domain[] | undefined> {
  return domainsIn(await host.run(['sh', '-c', list], { signal, most: MOST }));
}

/** What the script above prints. */
export function domainsIn(printed: string): Domain[] | undefined {
  if (!printed.startsWith('libvirt\n')) return undefined;
  const fields = partsOf(printed.slice('libvirt\n'.length), '\0');
  const domains: Domain[] = [];
  for (let at = 0; at + 3 < fields.length; at += 4) {
    const [uuid = '', state = '', xml = '', snapshots = ''] = fields.slice(at, at + 4);
    if (UUID.test(uuid)) domains.push(domainOf(uuid, state.trim(), xml, snapshots));
  }
  return domains;
}

const states = new Map<string, MachineState>(
  Object.entries({
    running: 'running',
    idle: 'running',
    'no state': 'unknown',
    paused: 'paused',
    pmsuspended: 'paused',
    'in shutdown': 'stopping',
    'shut off': 'stopped',
    crashed: 'failed',
  }),
);

function domainOf(uuid: string, state: string, xml: string, snapshots: string): Domain {
  const domain = parseXml(xml);
  const nic = attribute(allAt(domain, 'devices', 'interface', 'model')[0], 'type');
  const os = osOf(domain);
  const cpu = attribute(allAt(domain, 'cpu')[0], 'mode');
  return {
    uuid,
    name: allAt(domain, 'name')[0]?.text.trim() || uuid,
    state: states.get(state) ?? 'unknown',
    ...(os !== undefined && { os }),
    disks: allAt(domain, 'devices', 'disk').filter(isDisk).map(diskOf),
    ...(nic !== undefined && { nic }),
    ...(cpu !== undefined && { cpu: cpu.startsWith('host') ? 'host' : 'qemu64' }),
    firmware: isUefi(domain) ? 'uefi' : 'bios',
    snapshots: snapshots
      .split('\n')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
  };
}

const attribute = (element: Element | undefined, name: string): string | undefined => element?.attributes[name];

const isDisk = (disk: Element) => (attribute(disk, 'device') ?? 'disk') === 'disk';

function diskOf(disk: Element): Domain['disks'][number] {
  const [source] = allAt(disk, 'source');
  const path = attribute(source, 'file') ?? attribute(source, 'dev');
  const bus = attribute(allAt(disk, 'target')[0], 'bus');
  return {
    ...(path?.startsWith('/') && { path }),
    // A guest writes what it likes into a raw disk: what it looks like is never asked.
    format: attribute(allAt(disk, 'driver')[0], 'type') ?? 'raw',
    ...(bus !== undefined && { bus }),
  };
}

const isUefi = (domain: Element) =>
  attribute(allAt(domain, 'os')[0], 'firmware') === 'efi' ||
  attribute(allAt(domain, 'os', 'loader')[0], 'type') === 'pflash';

const families: [of: RegExp, os: string][] = [
  [/microsoft\.com/, 'windows'],
  [/(free|open|net)bsd\.org/, 'bsd'],
  [/smartos|illumos|omnios|openindiana/, 'illumos'],
  [/debian|ubuntu|redhat|fedora|centos|rocky|alma|suse|archlinux|alpine|gentoo|oracle|linux/, 'linux'],
];

/** As virt-install notes it. */
function osOf(domain: Element): string | undefined {
  const id = attribute(allAt(domain, 'metadata', 'libosinfo:libosinfo', 'libosinfo:os')[0], 'id') ?? '';
  return families.find(([of]) => of.test(id))?.[1];
}

// Where --domain and --snapshotname stand before them, names may begin with a dash.
const take = `${PRELUDE}\nvirsh snapshot-create-as --domain "$1" --name "$2" --atomic`;
const remove = `${PRELUDE}\nvirsh snapshot-delete --domain "$1" --snapshotname "$2"`;

export async function takeOfDomain(host: Host, uuid: string, name: string, signal: AbortSignal): Promise<void> {
  await host.run(['sh', '-c', take, 'sh', uuid, name], { signal });
}

export async function removeOfDomain(host: Host, uuid: string, name: string, signal: AbortSignal): Promise<void> {
  await host.run(['sh', '-c', remove, 'sh', uuid, name], { signal });
}

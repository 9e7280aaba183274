import test from 'ava';
import { domainsIn } from '../../server/hypervisors/libvirt.js';
import { allAt, parseXml } from '../../server/hypervisors/xml.js';

const UUID = '6695eb01-f6a4-8304-79aa-97f2502e193f';

/** As virsh of libvirt 9.0 prints it, with what virt-install adds. */
const domain = (extra = '') => `<domain type='kvm' id='1'>
  <name>web &amp; more</name>
  <uuid>${UUID}</uuid>
  <metadata>
    <libosinfo:libosinfo xmlns:libosinfo="http://libosinfo.org/xmlns/libvirt/domain/1.0">
      <libosinfo:os id="http://debian.org/debian/12"/>
    </libosinfo:libosinfo>
  </metadata>
  <memory unit='KiB'>8388608</memory>
  <os>
    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
    <loader readonly='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE.fd</loader>
    <boot dev='hd'/>
  </os>
  <cpu mode='host-passthrough' check='none'/>
  <devices>
    <disk type='file' device='cdrom'>
      <target dev='sda' bus='sata'/>
    </disk>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source file='/var/lib/libvirt/images/a, b &apos;$(reboot)&apos;.qcow2' index='2'/>
      <backingStore type='file' index='3'>
        <format type='qcow2'/>
        <source file='/var/lib/libvirt/images/base.qcow2'/>
      </backingStore>
      <target dev='vda' bus='virtio'/>
    </disk>
    <disk type='network' device='disk'>
      <driver name='qemu' type='raw'/>
      <source protocol='rbd' name='pool/volume'/>
      <target dev='vdb' bus='scsi'/>
    </disk>
    <disk type='block'>
      <source dev='/dev/vg0/data'/>
      <target dev='vdc'/>
    </disk>
    <interface type='network'>
      <mac address='52:54:00:00:00:01'/>
      <model type='e1000'/>
    </interface>
    ${extra}
  </devices>
</domain>`;

const printed = (...fields: string[]) => `libvirt\n${fields.map((field) => `${field}\0`).join('')}`;

test('machines are read as virsh prints them', (t) => {
  const [found, ...others] = domainsIn(printed(UUID, 'running\n', domain(), 'before\n$(reboot)\n\n')) ?? [];
  t.deepEqual(others, []);
  t.deepEqual(found, {
    uuid: UUID,
    name: 'web & more',
    state: 'running',
    os: 'linux',
    disks: [
      { path: "/var/lib/libvirt/images/a, b '$(reboot)'.qcow2", format: 'qcow2', bus: 'virtio' },
      { format: 'raw', bus: 'scsi' },
      { path: '/dev/vg0/data', format: 'raw' },
    ],
    nic: 'e1000',
    cpu: 'host',
    firmware: 'uefi',
    snapshots: ['before', '$(reboot)'],
  });
});

test('every state that virsh knows has a word of ours', (t) => {
  const states = [
    'running',
    'idle',
    'paused',
    'in shutdown',
    'shut off',
    'crashed',
    'pmsuspended',
    'no state',
    'dancing',
  ];
  t.deepEqual(
    states.map((state) => domainsIn(printed(UUID, state, domain(), ''))?.[0]?.state),
    ['running', 'running', 'paused', 'stopping', 'stopped', 'failed', 'paused', 'unknown', 'unknown'],
  );
});

test('words that are those of objects are words that nobody knows', (t) => {
  for (const odd of ['constructor', '__proto__', 'toString']) {
    t.is(domainsIn(printed(UUID, odd, domain(), ''))?.[0]?.state, 'unknown');
    t.is(parseXml(`<name>&${odd};</name>`).text, `&${odd};`);
  }
});

test('where libvirt does not run there are no machines of it, not even none', (t) => {
  t.is(domainsIn(''), undefined);
  t.deepEqual(domainsIn('libvirt\n'), []);
  t.deepEqual(domainsIn(printed('not-a-uuid', 'running', domain(), '')), []);
});

test('what is not well-formed is refused', (t) => {
  const cases = [
    '',
    'text',
    '<a>',
    '</a>',
    '<a></b>',
    '<a/><b/>',
    '<a b=c/>',
    '<a b="<"/>',
    '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    '<a'.repeat(10_000),
    `${'<a>'.repeat(1000)}${'</a>'.repeat(1000)}`,
  ];
  for (const xml of cases) t.throws(() => parseXml(xml), { instanceOf: SyntaxError }, xml.slice(0, 50));
});

test('text is what it says, and no more', (t) => {
  const { text, children } = parseXml(
    "<?xml version='1.0'?><a>1 &lt; 2<!-- <b/> --><![CDATA[<c/>]]>&#65;&#x42;&x;&#0;<d e='&quot;'/></a>",
  );
  t.is(text, '1 < 2<c/>AB&x;&#0;');
  t.deepEqual(
    children.map(({ name, attributes }) => [name, attributes]),
    [['d', { e: '"' }]],
  );
  t.is(allAt(parseXml('<a><b><c/><c/></b><b><c/></b><c/></a>'), 'b', 'c').length, 3);
});

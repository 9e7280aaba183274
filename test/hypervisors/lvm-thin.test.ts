import test from 'ava';
import { sizeIn } from '../../server/hypervisors/lvm-images.js';
import { isImage, machinesIn } from '../../server/hypervisors/lvm-machines.js';
import { volumesIn } from '../../server/hypervisors/parse-lvs.js';
import { hypervisorContract } from '../contracts/hypervisor.js';
import { lvmThinLab } from '../support/lvm-thin.js';

hypervisorContract('lvm-thin', ['sshd, to be talked to', 'LVM thin, with a device mapper'], lvmThinLab);

const IMAGE = 'b3a7c1f2-0f4b-4c2e-9a4e-52a5c0a0d1e2';

/** As LVM 2.03.16 prints it, of a group whose volumes are not active. */
const printed = `  {
      "report": [
          {
              "lv": [
                  {"vg_name":"vg0", "lv_name":"pool", "lv_uuid":"b7sH2S-EDyS-UOaT-IWU1-0l2d-HLhQ-AgTAoE", "lv_size":"67108864", "lv_attr":"twi-XXtz--", "lv_layout":"thin,pool", "pool_lv":"", "origin":"", "lv_time":"1795311000", "lv_tags":"", "data_percent":""},
                  {"vg_name":"vg0", "lv_name":"root", "lv_uuid":"WIKz7W-E8IJ-wnp1-q2g9-dg7n-sG7a-J6tkxA", "lv_size":"8388608", "lv_attr":"-wi-XX----", "lv_layout":"linear", "pool_lv":"", "origin":"", "lv_time":"1795311000", "lv_tags":"", "data_percent":""},
                  {"vg_name":"vg0", "lv_name":"vm1", "lv_uuid":"WdeiF8-RPo9-fDtY-tTEM-uhop-zzLO-qZNYyc", "lv_size":"33554432", "lv_attr":"Vwi-XXtz--", "lv_layout":"thin,sparse", "pool_lv":"pool", "origin":"", "lv_time":"1795311000", "lv_tags":"slipway_image=${IMAGE},web", "data_percent":""},
                  {"vg_name":"vg0", "lv_name":"vm1_s1", "lv_uuid":"5ZMBs0-EIjb-RKjP-DLEh-FXuX-lFzc-BQnFfs", "lv_size":"33554432", "lv_attr":"Vwi-XXtz-k", "lv_layout":"thin,sparse", "pool_lv":"pool", "origin":"vm1", "lv_time":"1795311000", "lv_tags":"", "data_percent":""},
                  {"vg_name":"vg0", "lv_name":"vm1_s2", "lv_uuid":"HiZvrA-7ao6-Py1q-tpAf-jIaY-Lgea-YH0tpe", "lv_size":"33554432", "lv_attr":"Vri-XXtz-k", "lv_layout":"thin,sparse", "pool_lv":"pool", "origin":"vm1", "lv_time":"1795311000", "lv_tags":"", "data_percent":""}
              ]
          }
      ]
  }
`;

const volumes = (...lv: Record<string, string>[]) =>
  volumesIn(
    JSON.stringify({
      report: [
        {
          lv: lv.map((one) => ({
            vg_name: 'vg0',
            lv_size: '33554432',
            lv_attr: 'Vwi-a-tz--',
            lv_layout: 'thin,sparse',
            pool_lv: 'pool',
            ...one,
          })),
        },
      ],
    }),
  );

test('volumes are read as LVM prints them', (t) => {
  const found = volumesIn(printed);
  t.deepEqual(
    found.map(({ name, kind, isFrozen }) => [name, kind, isFrozen]),
    [
      ['pool', 'pool', false],
      ['root', 'other', false],
      ['vm1', 'thin', false],
      ['vm1_s1', 'thin', true],
      ['vm1_s2', 'thin', true],
    ],
  );
  const [machine, ...others] = machinesIn('node1', found);
  t.deepEqual(others, []);
  t.like(machine?.vm, {
    hostname: 'vm1',
    state: 'unknown',
    disks: [{ disk: 1, volume: 'vg0/vm1', size: 32, image: IMAGE }],
  });
  t.deepEqual([...(machine?.disks[0]?.snapshots.keys() ?? [])], ['vm1_s1', 'vm1_s2']);
  t.is(found[0]?.created, new Date(1_795_311_000_000).toISOString());
});

test('disks of one machine are counted in their order', (t) => {
  const machines = machinesIn(
    'node1',
    volumes({ lv_name: 'vm-100-disk-1' }, { lv_name: 'vm-100-disk-0', lv_attr: 'Vwi-aotz--' }),
  );
  t.deepEqual(
    machines.map(({ vm }) => [vm.hostname, vm.state, vm.disks.map(({ volume }) => volume)]),
    [['vm-100', 'running', ['vg0/vm-100-disk-0', 'vg0/vm-100-disk-1']]],
  );
});

test('snapshots by the name that Proxmox gives are seen, and clones of images are machines', (t) => {
  const all = volumes(
    { lv_name: IMAGE, lv_attr: 'Vri---tz-k' },
    { lv_name: 'web', origin: IMAGE },
    { lv_name: 'snap_web_before', origin: 'web', lv_attr: 'Vri---tz-k' },
    { lv_name: 'slipway_1' },
  );
  const [web, ...others] = machinesIn('node1', all);
  t.deepEqual(others, []);
  t.like(web?.vm, { hostname: 'web', state: 'stopped' });
  t.is(web?.vm.disks[0]?.image, IMAGE);
  t.deepEqual([...(web?.disks[0]?.snapshots.keys() ?? [])], ['before']);
  t.deepEqual(
    all.filter(isImage).map(({ name }) => name),
    [IMAGE],
  );
});

test('what LVM hides, or could not be a name of it, is passed over', (t) => {
  for (const lv_name of ['[pool_tdata]', '-rf', '', 'a b', '$(reboot)', '../x']) t.deepEqual(volumes({ lv_name }), []);
  t.deepEqual(volumes({ lv_name: 'x', lv_size: 'many' }), []);
  for (const odd of ['{}', '[]', 'null', '{"report":[{"lv":[null,1,"x",[]]}]}', '{"report":{}}'])
    t.deepEqual(volumesIn(odd), []);
  t.throws(() => volumesIn('lvs: command not found'));
});

test('an image says how large its disk is', (t) => {
  t.is(sizeIn('{"image_size":10}'), 10 * 2 ** 20);
  for (const odd of ['{}', '{"image_size":"10"}', '{"image_size":-1}', 'no', '{"image_size":0}'])
    t.is(sizeIn(odd), undefined);
});

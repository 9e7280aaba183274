// The images of a site that does not exist. Sizes are in MiB, ages in days.
// biome-ignore format: a table is read down its columns
export const images = [
  { name: 'base-64-lts-23', alias: 'base-64-lts', version: '23.4.0', kind: 'zone', size: 210, age: 350, label: 'gray', at: ['fra', 'ams'] },
  { name: 'base-64-lts',    alias: 'base-64-lts', version: '24.4.1', kind: 'zone', size: 224, age: 200, label: 'green', golden: true, at: ['fra', 'ams'] },
  { name: 'minimal-64',     alias: 'minimal-64',  version: '24.4.1', kind: 'zone', size: 96, age: 198, at: ['fra', 'ams'] },
  { name: 'debian-12',      alias: 'debian-12',   version: '20260115', kind: 'linux', size: 1480, age: 310, at: ['fra', 'ams'] },
  { name: 'debian-13',      alias: 'debian-13',   version: '20260810', kind: 'linux', size: 1610, age: 96, label: 'green', golden: true, at: ['fra', 'ams'] },
  { name: 'ubuntu-24.04',   alias: 'ubuntu-24.04', version: '20260901', kind: 'linux', size: 2210, age: 80, label: 'orange', at: ['fra', 'ams'] },
  { name: 'rocky-9',        alias: 'rocky-9',     version: '9.6', kind: 'linux', size: 1890, age: 150, at: ['fra'] },
  { name: 'alpine-3.22',    alias: 'alpine-3.22', version: '3.22.1', kind: 'lx', size: 64, age: 130, at: ['fra', 'ams'] },
  { name: 'freebsd-14',     alias: 'freebsd-14',  version: '14.3', kind: 'bsd', size: 1120, age: 170, at: ['ams'] },
  { name: 'windows-2025',   alias: 'windows-2025', version: '2026.9', kind: 'windows', size: 11800, age: 60, label: 'blue', at: ['fra'], bound: 'fra' },
  { name: 'postgresql-17',  alias: 'postgresql',  version: '17.6', kind: 'zone', size: 480, age: 75, origin: 'base-64-lts', label: 'purple', at: ['fra', 'ams'] },
  { name: 'nginx-edge',     alias: 'nginx-edge',  version: '1.28.0', kind: 'zone', size: 260, age: 44, origin: 'base-64-lts', at: ['fra', 'ams'] },
  { name: 'shop-web',       alias: 'shop-web',    version: '41', kind: 'zone', size: 690, age: 6, origin: 'nginx-edge', label: 'red', at: ['fra'], bound: 'fra' },
  { name: 'shop-web-stage', alias: 'shop-web-stage', version: '41', kind: 'zone', size: 690, age: 5, origin: 'nginx-edge', same: 'shop-web', at: ['ams'], bound: 'ams' },
  { name: 'shop-db',        alias: 'shop-db',     version: '12', kind: 'zone', size: 3900, age: 20, origin: 'postgresql-17', at: ['fra'], bound: 'fra' },
  { name: 'shop-db-stage',  alias: 'shop-db-stage', version: '12', kind: 'zone', size: 3900, age: 19, origin: 'postgresql-17', same: 'shop-db', at: ['ams'], bound: 'ams' },
  { name: 'ci-runner',      alias: 'ci-runner',   version: '3.1', kind: 'linux', size: 4300, age: 33, at: ['ams'] },
];

export const kinds = {
  zone: { type: 'zone-dataset', os: 'smartos' },
  lx: { type: 'lx-dataset', os: 'linux', requirements: { brand: 'lx' } },
  linux: { type: 'zvol', os: 'linux' },
  bsd: { type: 'zvol', os: 'bsd' },
  windows: { type: 'zvol', os: 'windows' },
};

import test from 'ava';
import imgmanifest from 'imgmanifest';
import { layersOf } from '../../server/model/docker-image.js';
import { compressionOfPath, lxdDraft, parseAlias } from '../../server/model/lxd-image.js';
import { parseRepository, splitReference } from '../../storage/registry.js';
import { challengesOf } from '../../storage/sources/registry-login.js';
import { testImage } from '../support/registry.js';
import { table } from '../support/table.js';

test('the head is the manifest that the reference makes of it', (t) => {
  for (const more of [{}, { comment: 'made by hand' }, { container_config: { Cmd: ['/bin/sh', '-c', 'x'] } }]) {
    const { manifest, config } = testImage(['base', 'middle', 'top'], more);
    const layers = layersOf(manifest.layers, config, { repo: 'busybox', tag: '1.0', public: true });
    const layerDigests = manifest.layers.map(({ digest }) => digest);
    const theirs = imgmanifest.imgManifestFromDockerInfo({
      layerDigests,
      imgJson: config,
      repo: { localName: 'busybox' },
      tags: ['1.0'],
      public: true,
    });
    const { description, ...draft } = layers.at(-1)?.draft ?? {};
    const { description: said, disabled: _, ...expected } = JSON.parse(JSON.stringify(theirs));
    t.deepEqual(draft, expected);
    if (said !== '') t.is(description, said);
    layers.forEach(({ uuid, draft: { origin } }, index) => {
      t.is(uuid, imgmanifest.imgUuidFromDockerDigests(layerDigests.slice(0, index + 1)));
      t.is(origin, layers[index - 1]?.uuid);
    });
  }
});

const names = table<'name' | 'registry' | 'path' | 'local' | 'canonical'>(`
  name                       registry           path             local                   canonical
  busybox                    docker.io          library/busybox  busybox                 docker.io/busybox
  docker.io/busybox          docker.io          library/busybox  busybox                 docker.io/busybox
  index.docker.io/a/b        docker.io          a/b              a/b                     docker.io/a/b
  docker.io/library/busybox  docker.io          library/busybox  busybox                 docker.io/busybox
  quay.io/a/b_c.d-e          quay.io            a/b_c.d-e        quay.io/a/b_c.d-e       quay.io/a/b_c.d-e
  localhost/a                localhost          a                localhost/a             localhost/a
  Reg.example:5000/a         reg.example:5000   a                reg.example:5000/a      reg.example:5000/a
  [::1]:5000/a               [::1]:5000         a                [::1]:5000/a            [::1]:5000/a
`);

test('names of repositories', (t) => {
  for (const { name, ...expected } of names) t.deepEqual(parseRepository(name), expected);
  for (const bad of [
    '',
    'A',
    'a:1',
    'a//b',
    '/a',
    'a/',
    '../a',
    'a.b/../c',
    'http://a.b/c',
    'a@b/c',
    'a.b:x/c',
    'a b',
    '999.999.999.999/a',
    'a.b:99999/c',
    '[::::]/a',
    'é',
  ]) {
    t.is(parseRepository(bad), undefined, bad);
  }
  t.is(parseRepository(`a/${'b'.repeat(255)}`), undefined);
});

test('names with what is meant of them', (t) => {
  t.deepEqual(splitReference('a.example:5000/b'), { repo: 'a.example:5000/b', reference: 'latest' });
  t.deepEqual(splitReference('a.example:5000/b:1'), { repo: 'a.example:5000/b', reference: '1' });
  t.deepEqual(splitReference('b@sha256:x'), { repo: 'b', reference: 'sha256:x' });
});

test('what a registry asks for', (t) => {
  t.deepEqual(challengesOf('Bearer realm="https://a/t",service="x, \\"y\\"", scope="r:a:pull,push"'), [
    { scheme: 'bearer', parameters: { realm: 'https://a/t', service: 'x, "y"', scope: 'r:a:pull,push' } },
  ]);
  t.deepEqual(challengesOf('Basic realm=x, Bearer realm="y"'), [
    { scheme: 'basic', parameters: { realm: 'x' } },
    { scheme: 'bearer', parameters: { realm: 'y' } },
  ]);
  t.deepEqual(challengesOf(''), []);
});

test('images of LXD: what can not stand in names is replaced', (t) => {
  const draft = lxdDraft(
    {
      product: 'alpine:3.18:amd64:default',
      version: '20240302_13:00',
      os: 'Alpine',
      release: '3.18',
      releaseTitle: '3.18',
      arch: 'amd64',
      aliases: 'alpine/3.18',
      fingerprint: '0123456789abcdef0123456789abcdef'.repeat(2),
      files: [{ ftype: 'lxd.tar.xz', path: 'a/lxd.tar.xz', sha256: 'x' }],
    },
    { registry: 'images', visible: false },
  );
  t.like(draft, {
    uuid: '01234567-89ab-cdef-0123-456789abcdef',
    name: 'alpine_3.18_amd64_default',
    version: '20240302_13_00',
    published_at: '2024-03-02T00:00:00.000Z',
    type: 'lxd',
    public: false,
    requirements: { brand: 'lx' },
  });
  t.deepEqual(parseAlias('images:alpine/3.18:x'), {
    full: 'images:alpine/3.18:x',
    registry: 'images',
    image: 'alpine/3.18:x',
  });
  t.deepEqual(['a.tar.xz', 'a.gz', 'a.bz2', 'a.squashfs'].map(compressionOfPath), ['xz', 'gzip', 'bzip2', 'none']);
});

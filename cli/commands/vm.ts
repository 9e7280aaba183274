import { type Field, oneOf, paging } from '../field.js';
import { resource } from '../resource.js';

const fields: readonly Field[] = [
  ['hostname', '--hostname <name>', 'what it is called'],
  ['dc', '--dc <dc>', 'the data center it is in'],
  ['node', '--node <node>', 'the node it runs on'],
  ['owner', '--owner <user>', 'whose it is'],
  ['tags', '--tags <tags>', 'tags, with commas between them', 'list'],
  ['state', '--state <state>', 'what it is', oneOf('wanted', 'active', 'paused', 'template')],
  [
    'images',
    '--images <file>',
    'its disks, a file of JSON: [{"disk": 1, "image": UUID}], "-" for standard input; or images with commas between them',
    'disks',
  ],
];

export const register = resource({
  name: 'vm',
  description: 'the machines that use images, which keeps these from being deleted',
  rows: [
    {
      name: 'list',
      description: 'list machines',
      asks: 'GET /api/vm',
      always: { full: true },
      fields: [
        ['dc', '--dc <dc>', 'those of this data center'],
        ['image', '--image <uuid>', 'those that use the image of this uuid'],
        ...paging,
      ],
      columns: 'uuid hostname dc node owner state',
      examples: ['vm list', 'vm list --dc north --json'],
    },
    {
      name: 'show',
      description: 'show a machine',
      asks: 'GET /api/vm/:vm',
      examples: ['vm show 3a1d2e7c-0f8b-4a52-9d1e-6f2f4f3b8c11'],
    },
    {
      name: 'register',
      description: 'say that a machine uses images',
      asks: 'PUT /api/vm/:vm',
      fields,
      done: 'machine :vm is registered',
      examples: [
        'vm register 3a1d2e7c-0f8b-4a52-9d1e-6f2f4f3b8c11 --hostname web --dc north --images base@1.0.0,data',
        'vm register 3a1d2e7c-0f8b-4a52-9d1e-6f2f4f3b8c11 --hostname web --dc north --state active --images disks.json',
      ],
    },
    {
      name: 'forget',
      description: 'say that a machine is gone: its images are free',
      asks: 'DELETE /api/vm/:vm',
      done: 'machine :vm is forgotten',
      examples: ['vm forget 3a1d2e7c-0f8b-4a52-9d1e-6f2f4f3b8c11'],
    },
    {
      name: 'check-move',
      description: 'ask whether a data center has the images that a machine needs there',
      asks: 'GET /api/vm/:vm/move',
      words: ['<vm>', '<dc>'],
      done: ':dc has all images that machine :vm needs',
      examples: ['vm check-move 3a1d2e7c-0f8b-4a52-9d1e-6f2f4f3b8c11 south'],
    },
  ],
});

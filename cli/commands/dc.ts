import { type Field, paging } from '../field.js';
import { resource } from '../resource.js';
import { attach, detach, listAttached, meanings } from './image.js';

const fields: readonly Field[] = [
  ['alias', '--alias <text>', 'what people call it'],
  ['owner', '--owner <user>', 'who administers it, whatever the groups say'],
  ['description', '--description <text>', 'what it is for'],
  ['location', '--location <site>', 'where it is'],
];

export const register = resource({
  name: 'dc',
  description: 'data centers: who is in them, and which images they see',
  rows: [
    {
      name: 'list',
      description: 'list the data centers that you may know of',
      asks: 'GET /api/dc',
      always: { full: true },
      fields: paging,
      columns: 'name alias owner location description',
      examples: ['dc list', 'dc list --search north --csv'],
    },
    {
      name: 'show',
      description: 'show a data center',
      asks: 'GET /api/dc/:dc',
      examples: ['dc show north'],
    },
    {
      name: 'create',
      description: 'make a data center',
      asks: 'POST /api/dc/:dc',
      fields,
      done: 'data center :dc is made',
      examples: ['dc create north --owner alice --location oslo'],
    },
    {
      name: 'update',
      description: 'change a data center',
      asks: 'PUT /api/dc/:dc',
      fields,
      done: 'data center :dc is changed',
      examples: ["dc update north --alias 'The North' --owner bob"],
    },
    {
      name: 'delete',
      description: 'delete a data center: the images that are bound to it become shared',
      asks: 'DELETE /api/dc/:dc',
      confirms: 'data center :dc',
      done: 'data center :dc is deleted',
      examples: ['dc delete north', 'dc delete north --yes'],
    },
    {
      name: 'groups',
      description: 'list the groups whose members have rights in a data center',
      asks: 'GET /api/dc/:dc/group',
      always: { full: true },
      columns: 'name alias permissions users',
      examples: ['dc groups north'],
    },
    {
      name: 'add-group',
      description: 'give the members of a group its permissions in a data center',
      asks: 'POST /api/dc/:dc/group/:group',
      done: 'group :group has its permissions in :dc',
      examples: ['dc add-group north north-images'],
    },
    {
      name: 'remove-group',
      description: 'take its permissions in a data center from a group',
      asks: 'DELETE /api/dc/:dc/group/:group',
      done: 'group :group has no permissions in :dc',
      examples: ['dc remove-group north north-images'],
    },
    {
      name: 'image',
      description: 'show an image that a data center sees',
      asks: 'GET /api/dc/:dc/image/:image',
      meanings,
      examples: ['dc image north base'],
    },
    { ...listAttached, name: 'images', examples: ['dc images north', 'dc images north --csv'] },
    { ...attach, words: ['<dc>', '<image>'], examples: ['dc attach north base'] },
    { ...detach, words: ['<dc>', '<image>'], examples: ['dc detach north base'] },
    {
      name: 'settings',
      description: 'show the settings of a data center; "slipway settings set" changes them',
      asks: 'GET /api/dc/:dc/settings',
      examples: ['dc settings north'],
    },
  ],
});

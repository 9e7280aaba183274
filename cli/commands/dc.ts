import type { Field } from '../field.js';
import { kept } from '../kept.js';
import { resource } from '../resource.js';
import { attach, detach, listAttached, meanings } from './image.js';
import { meanings as settings } from './settings.js';

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
    ...kept({
      name: 'dc',
      called: 'data center',
      columns: 'name alias owner location description',
      fields,
      making: '',
      deleting: ': the images that are bound to it become shared',
      example: ['north', '--owner alice --location oslo', "--alias 'The North' --owner bob"],
    }),
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
      meanings: settings,
      examples: ['dc settings north'],
    },
  ],
});

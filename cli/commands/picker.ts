import { single } from '../resource.js';
import { meanings, osTypes } from './image.js';

export const register = single({
  name: 'picker',
  description: 'list the images that can be used for a new machine in a data center now',
  asks: 'GET /api/dc/:dc/picker',
  fields: [
    ['ostype', '--ostype <type>', 'for this type', osTypes],
    ['class', '--class <class>', 'for this class of hardware'],
    ['location', '--location <site>', 'that this site has'],
    ['user', '--for <user>', 'that this user may use; yourself unless given'],
  ],
  meanings,
  columns: 'name alias version ostype belongs groups class golden default',
  examples: ['picker north', 'picker north --ostype linux --for alice --json'],
});

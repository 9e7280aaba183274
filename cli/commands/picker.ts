import { single } from '../resource.js';
import { meanings } from './image.js';

export const register = single({
  name: 'picker',
  description: 'list the images that can be used for a new machine in a data center now',
  asks: 'GET /api/dc/:dc/picker',
  fields: [
    ['ostype', '--ostype <number>', 'for this type: 1 Linux, 2 SunOS, 3 BSD, 4 Windows, 5 SunOS zone, 6 Linux zone'],
    ['class', '--class <class>', 'for this class of hardware'],
    ['location', '--location <site>', 'that this site has'],
    ['user', '--for <user>', 'that this user may use; yourself unless given'],
  ],
  meanings,
  columns: 'name alias version ostype badges',
  examples: ['picker north', 'picker north --ostype 1 --for alice --json'],
});

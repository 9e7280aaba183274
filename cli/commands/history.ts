import { single } from '../resource.js';

export const register = single({
  name: 'history',
  description: 'how a figure of the overview has changed, such as images, logical_bytes, downloads or served_bytes',
  asks: 'GET /api/overview/history',
  words: ['<what>'],
  fields: [
    ['from', '--from <date>', 'since then; a day ago unless it is said'],
    ['to', '--to <date>', 'until then'],
    ['points', '--points <count>', 'at most so many'],
    ['dc', '--dc <dc>', 'only what is of this data center'],
  ],
  columns: 'at value',
  lists: 'points',
  examples: ['history downloads --points 24', 'history stored_bytes --from 2030-01-01 --csv'],
});

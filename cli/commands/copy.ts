import { single } from '../resource.js';

export const register = single({
  name: 'copy',
  description: 'copy an image, and what it builds on, to another image server that is a repository of this one',
  asks: 'POST /api/image/:image/copy',
  words: ['<image>', '<to>'],
  long: true,
  fields: [
    ['name', '--name <name>', 'how it is called there'],
    ['datacenter', '--datacenter <dc>', 'the data center there to which it is bound'],
    ['dc', '--dc <dc>', 'where several data centers have an image of this name: the one of this'],
  ],
  done: 'image :image is copied to :to',
  examples: ['copy base harbour', 'copy base harbour --name base-of-north --datacenter south'],
});

import { resource } from '../resource.js';

export const register = resource({
  name: 'member',
  description: 'the daemons that are one server together',
  rows: [
    {
      name: 'list',
      alias: 'ls',
      description: 'who is in, whoever has been in for longest first; the first does what is done once for all',
      asks: 'GET /api/member',
      columns: 'name version since first self tasks',
      examples: ['member list', 'member list --json'],
    },
  ],
});

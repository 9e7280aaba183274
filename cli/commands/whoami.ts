import { single } from '../resource.js';

export const register = single({
  name: 'whoami',
  description: 'ask a server who you are to it, and what you may do where',
  asks: 'GET /api/account',
  examples: ['whoami', 'whoami --json'],
});

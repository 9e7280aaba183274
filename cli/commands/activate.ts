import { registerVerb } from '../change-images.js';
import type { Register } from '../command.js';

export const register: Register = (program, context) =>
  registerVerb(program, context, {
    name: 'activate',
    description: 'activate images: their files stay as they are from now on, and others can use them',
    examples: '\nExamples:\n  slipway activate 3a1d2e7c',
    change: (client, uuid, call) => client.activate(uuid, call),
  });

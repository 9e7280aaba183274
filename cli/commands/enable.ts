import { registerVerb } from '../change-images.js';
import type { Register } from '../command.js';

export const register: Register = (program, context) =>
  registerVerb(program, context, {
    name: 'enable',
    description: 'put images back into the list that were disabled',
    examples: '\nExamples:\n  slipway enable base@1.0.0',
    change: (client, uuid, call) => client.enable(uuid, call),
  });

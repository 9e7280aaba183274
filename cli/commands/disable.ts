import { registerVerb } from '../change-images.js';
import type { Register } from '../command.js';

export const register: Register = (program, context) =>
  registerVerb(program, context, {
    name: 'disable',
    description: 'take images out of the list of what can be used; what builds on them still can fetch them',
    examples: '\nExamples:\n  slipway disable base@1.0.0 base@1.0.1',
    change: (client, uuid, call) => client.disable(uuid, call),
  });

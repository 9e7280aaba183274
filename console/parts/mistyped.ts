import { Refusal } from '../api/ask.js';

/** What had to be typed, so that nobody does it by mistake, was not. */
export const mistyped = (typed: string, field = 'typed') =>
  new Refusal(400, 'Mistyped', 'it is not confirmed', { [field]: `is not "${typed}"` });

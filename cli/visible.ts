/** Names and descriptions come from others: what would steer a terminal or turn text around is shown as its code. */
const STEERING = /[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

export const visible = (text: string): string => text.replace(STEERING, codeOf);

/** The same for JSON, whose line ends are its own. */
export const visibleJson = (json: string): string =>
  json.replace(/[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, codeOf);

const codeOf = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

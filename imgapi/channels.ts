import { isRecord, shown } from './checks.js';
import { wrongParameter } from './errors.js';

export interface Channel {
  name: string;
  description: string;
  default?: boolean;
}

/** What a request may see: all channels, one of them, or, on a server without channels, whatever there is. */
export type Selection = { any: true } | { any: false; name: string } | undefined;

const NAME = /^[a-z][a-z0-9_-]*$/;

/** The channels of a configuration; throws an Error that tells the operator what is wrong with them. */
export function checkChannels(value: unknown): Channel[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new Error(`channels must be a list, not ${shown(value)}`);
  const channels = value.map(checkChannel);
  const names = channels.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`channel ${twice} is configured twice`);
  const defaults = channels.filter((channel) => channel.default).map(({ name }) => name);
  if (defaults.length > 1) throw new Error(`only one channel can be the default, not ${defaults.join(' and ')}`);
  return channels;
}

function checkChannel(value: unknown): Channel {
  if (!isRecord(value)) throw new Error(`a channel must have a name and a description; it is ${shown(value)}`);
  const { name, description = '', default: isDefault = false, ...others } = value;
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw new Error(`a channel's name must be lower case letters, digits, _ and -, not ${shown(name)}`);
  }
  const [other] = Object.keys(others);
  if (other !== undefined) throw new Error(`channel ${name} has an unknown key: ${other}`);
  if (typeof description !== 'string') throw new Error(`the description of channel ${name} must be a string`);
  if (typeof isDefault !== 'boolean') throw new Error(`default of channel ${name} must be true or false`);
  return { name, description, ...(isDefault && { default: true }) };
}

/** The channel that a request means. Routes that only read may ask for all of them with a star. */
export function selectChannel(
  channels: readonly Channel[],
  raw: string | string[] | undefined,
  { star }: { star: boolean },
): Selection {
  if (channels.length === 0) return undefined;
  if (raw === '*' && star) return { any: true };
  const wanted = raw || channels.find((channel) => channel.default)?.name;
  const known = channels.map(({ name }) => name).join(', ');
  if (wanted === undefined) throw wrongParameter('channel', 'MissingParameter', `name a channel, one of ${known}`);
  const channel = channels.find(({ name }) => name === wanted);
  if (!channel) throw wrongParameter('channel', 'Invalid', `there is no channel ${shown(wanted)}, only ${known}`);
  return { any: false, name: channel.name };
}

/** The one channel that is meant, where it is one. */
export const nameOf = (selection: Selection): string | undefined =>
  selection && !selection.any ? selection.name : undefined;

export function inSelection(channels: readonly string[] | undefined, selection: Selection): boolean {
  if (!selection) return true;
  return channels !== undefined && (selection.any || channels.includes(selection.name));
}

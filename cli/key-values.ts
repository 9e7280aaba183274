import { CliError } from './errors.js';

/** What is written like role=db, split at the first equals sign. */
export function keyValue(text: string, what: string): [key: string, value: string] {
  const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (key === undefined || value === undefined) throw new CliError(`${what}, not "${text}"`);
  return [key, value];
}

/** For options that may be repeated, one tag each. */
export function intoTags(text: string, tags: Record<string, string> = {}): Record<string, string> {
  const [key, value] = keyValue(text, 'a tag is written like role=db');
  return { ...tags, [key]: value };
}

/** For options that may be repeated, one requirement each: min_ram=512, min_platform.7.0=STAMP, networks.net0=why. */
export function intoRequirements(text: string, known: Record<string, unknown> = {}): Record<string, unknown> {
  const [key, value] = keyValue(text, 'a requirement is written like min_ram=512');
  const [, name = key, member] = /^([^.]+)\.(.+)$/s.exec(key) ?? [];
  if (member === undefined) return { ...known, [name]: typed(value) };
  if (name !== 'networks') return { ...known, [name]: { ...Object(known[name]), [member]: value } };
  return { ...known, networks: [...[known.networks ?? []].flat(), { name: member, description: value }] };
}

export const intoList = (text: string, list: string[] = []): string[] => [...list, text];

function typed(value: string): unknown {
  if (/^\d{1,15}$/.test(value)) return Number(value);
  return value === 'true' || value === 'false' ? value === 'true' : value;
}

/** What is written like a,b; nothing at all where it is empty. */
export const words = (list: string): string[] =>
  list
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');

import { type Field, paging } from './field.js';
import type { Row } from './resource.js';

/** Something that is kept under a name of its own. */
interface Kept {
  /** As commands and paths call it. */
  name: string;
  /** As people call it, where that is another. */
  called?: string;
  columns: string;
  fields: readonly Field[];
  /** What else is told when it is deleted. */
  parting?: readonly Field[];
  /** What making, and what deleting it means. */
  making: string;
  deleting: string;
  /** A name, and what it is made and changed with. */
  example: readonly [name: string, made: string, changed: string];
}

/** What can be done with everything of the kind: list, show, create, update, delete. */
export function kept({ name, called = name, columns, fields, parting = [], making, deleting, example }: Kept): Row[] {
  const [one, made, changed] = example;
  const hasLists = fields.some(([, , , read]) => read === 'list');
  const path = `/api/${name}/:${name}`;
  const examples = (command: string, options = '') => [`${name} ${command} ${one} ${options}`.trimEnd()];
  return [
    {
      name: 'list',
      description: `list ${called}s, as far as you may know of them`,
      asks: `GET /api/${name}`,
      always: { full: true },
      fields: paging,
      columns,
      examples: [`${name} list`, `${name} list --search ${one} --csv`],
    },
    { name: 'show', description: `show a ${called}`, asks: `GET ${path}`, examples: examples('show') },
    {
      name: 'create',
      description: `make a ${called}${making}`,
      asks: `POST ${path}`,
      fields,
      done: `${called} :${name} is made`,
      examples: examples('create', made),
    },
    {
      name: 'update',
      description: `change a ${called}${hasLists ? '; lists are replaced as a whole' : ''}`,
      asks: `PUT ${path}`,
      fields,
      done: `${called} :${name} is changed`,
      examples: examples('update', changed),
    },
    {
      name: 'delete',
      description: `delete a ${called}${deleting}`,
      asks: `DELETE ${path}`,
      fields: parting,
      confirms: `${called} :${name}`,
      done: `${called} :${name} is deleted`,
      examples: [...examples('delete'), ...examples('delete', '--yes')],
    },
  ];
}

import { cellsOf, columns, type Grants, imgapi, management, people } from './matrix.js';

/** The matrix as one text: a row for each thing to do, a column for each who asks. */
function matrixText(): string {
  const rows = [management, imgapi].flatMap((face) =>
    Object.keys(face).map((row) => [row, ...columns.map((column) => cellsOf(face, row, column))]),
  );
  const lines = [['operation', ...columns], ...rows];
  const widths = lines[0]?.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0))) ?? [];
  return lines
    .map((line) =>
      line
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const named = (permissions: readonly string[] | undefined) => {
  if (!permissions) return '';
  return permissions.length > 0 ? permissions.map((name) => `\`${name}\``).join(', ') : 'none';
};

const roles = Object.entries<Grants>(people)
  .map(([name, { superAdmin, D, E }]) => `| ${name}${superAdmin ? ' (a flag)' : ''} | ${named(D)} | ${named(E)} |`)
  .join('\n');

/** `docs/permissions.md`. */
export const permissionsPage = () => `# Who may do what

Made from the law of the server (\`server/model/permissions.ts\`, \`visibility.ts\`, \`usable.ts\`) by \`npm run docs\`.

Each cell stands for six images of data center D: three that are bound to it, and three that are shared and attached to
it; of each three one is public, one private, one deleted. None is the caller's own unless the row says so.

| | |
|---|---|
| \`y\` | done |
| \`b\` | done, and bound to the one data center where the role is held |
| \`.\` | the list does not show it |
| \`x\` | seen, but not to be used for a new machine |
| \`0\` \`1\` \`3\` \`4\` | refused with 400, 401, 403, 404 |
| \`/\` | there is no such case |
| \`-\` | the management API takes credentials of users only |

\`\`\`
${matrixText()}
\`\`\`

Who asks: users, by what the groups give that they are in and that are attached to D, and to another data center, E;

| | in D | in E |
|---|---|---|
${roles}

and \`trusted\`, from a trusted network; \`node\`, which serves D; \`bringing\`, a node whose token may publish to D;
\`nodeOfE\`, which serves E; \`anonymous\`, without any credentials.

The owner of a data center is its DCAdmin. Rights beyond \`admin\` are worth nothing without it. Refusals follow one order:
whoever holds the role in no data center is told 403 before anything is looked up; what is not seen is 404, in the words
for what does not exist; what is seen and may not be touched is 403. To create or import into a data center that is not
seen is refused like naming one that does not exist: by the field. An open data center is one whose setting \`anonymous\`
is on. What is used by machines, or is being changed, is refused to everybody; see [errors](errors.md).
`;

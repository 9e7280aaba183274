import { errors, type Row } from './errors.js';

/** docs/errors.md, from the table. */
export function errorsPage(): string {
  const rows = Object.entries(errors).map(
    ([code, [status, meaning, managed = status]]: [string, Row]) =>
      `| \`${code}\` | ${status} | ${managed} | ${meaning} |`,
  );
  return `# Errors

Generated from \`imgapi/errors.ts\` by \`npm run docs\`; a test holds this page against the table.

Every refusal is JSON: \`{"code", "message"}\`, and for \`ValidationFailed\`, \`InvalidParameter\` and \`InvalidInput\` also
\`"errors": [{"field", "code", "message"?}]\`. Clients should go by the status, the code and the fields; messages are for
people and may change. A 5xx is in the server's log under the \`x-request-id\` of the response.

| code | IMGAPI | \`/api\` | when |
|---|---|---|
${rows.join('\n')}

## Codes of fields

| code | meaning |
|---|---|
| \`MissingParameter\` | the field is required and absent |
| \`Invalid\` | the value is not one that the field can have |
| \`NotAllowed\` | the field may not be set or changed here, or not by this caller |
| \`Missing\` | the query or body parameter is required and absent |
| \`InvalidParameter\` | the value is not of the form \`registry:image\` |
`;
}

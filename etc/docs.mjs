// Writes the pages that are made from tables.
import { writeFileSync } from 'node:fs';
import { errorsPage } from '../dist/imgapi/errors-page.js';

writeFileSync(new URL('../docs/errors.md', import.meta.url), errorsPage());

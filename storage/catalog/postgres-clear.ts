import { rm } from 'node:fs/promises';
import { StorageDown } from '../errors.js';
import type { PostgresChoice } from '../open.js';
import { Connection, placesOf } from './postgres-connection.js';

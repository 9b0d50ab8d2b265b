import { firstTables } from './0001-first-tables.ts';
import { crashes } from './0002-crashes.ts';

/**
 * One step of the schema, in PostgreSQL's dialect. It may only add: during a rolling update an older
 * replica still reads and writes. What has been released never changes; a new file puts it right.
 */
export interface Migration {
  name: string;
  /** One command each, as PGlite takes them. */
  statements: readonly string[];
}

/** In this order. */
export const MIGRATIONS: readonly Migration[] = [firstTables, crashes];

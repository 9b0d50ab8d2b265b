// One named action: typed parameters in, a fixed script, a typed answer out.
import { z } from 'zod';
import { HostError } from '../host.ts';

export interface Action<P = unknown, A = unknown> {
  /** One line for people: docs, the sudoers file. */
  about: string;
  params: z.ZodType<P>;
  /** Whether it needs root on the host. */
  root: boolean;
  timeout_ms: number;
  output_bytes_max: number;
  /** POSIX sh in one line, made by `script`. Parameters reach it only as "$1", "$2" …, and it checks them itself. */
  script: string;
  args(params: P): string[];
  /** Throws HostError BadOutput when that is not what the script prints. */
  parse(output: Buffer, params: P): A;
}

export const action = <P, A>(one: Action<P, A>): Action<P, A> => one;

/**
 * The text of a script as one line, for sudoers knows no line ends in a command. Line ends and indents become one
 * space, so a script says each `;` itself and has no comments.
 */
export function script(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '').join(' ');
}

/** Exit codes that all scripts share. */
export const EXIT_REFUSED = 64;
export const EXIT_CANNOT = 69;

/** Ends a script with a sentence that the reader gets to see. */
export const SAY_NO = `refuse() { echo "$1" >&2; exit ${EXIT_REFUSED}; }; cannot() { echo "$1" >&2; exit ${EXIT_CANNOT}; };`;

/** `case` pattern of what is not a whole number of at most 15 digits. */
export const NOT_A_NUMBER = `''|*[!0-9]*|????????????????*`;

export const TEXT_CHARS_MAX = 1024;

/** Text without control characters: no line ends, no NUL. It may hold anything else, for no shell ever reads it. */
export const plainText = z
  .string()
  .min(1)
  .max(TEXT_CHARS_MAX)
  .refine((text) => !hasControls(text), 'has a line end or another control character');

export function hasControls(text: string): boolean {
  return /\p{Cc}|\p{Cs}/u.test(text);
}

export function badOutput(message: string): HostError {
  return new HostError(message, 'BadOutput');
}

/** Ends a script where find(1) has no -printf: what it finds would be nothing at all. */
export const NEEDS_FIND = `find / -maxdepth 0 -printf '' || cannot 'the find of GNU (findutils) is wanted';`;

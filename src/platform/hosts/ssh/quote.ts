/**
 * A word for POSIX shells that reach it exactly as it is: within single quotes nothing means anything but the quote
 * itself, which stands outside of them. Throws on NUL, which no argument of a program can hold.
 */
export function quoteWord(word: string): string {
  if (word.includes('\0')) throw new Error('a word for a shell cannot hold NUL');
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

export const quoteWords = (words: readonly string[]): string => words.map(quoteWord).join(' ');

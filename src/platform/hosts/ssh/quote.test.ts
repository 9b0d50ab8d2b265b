import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { quoteWord, quoteWords } from './quote.ts';

/** Any text that an argument of a program can hold. */
const words = fc.array(
  fc
    .oneof(
      fc.string({ unit: 'grapheme' }),
      fc.string({
        unit: fc.constantFrom("'", '"', '\\', '$', '`', '!', '\n', ' ', '*', ';', '&', '%', '#', '~', '-'),
      }),
    )
    .filter((word) => !word.includes('\0')),
  { minLength: 1, maxLength: 20 },
);

test('whatever the words are, a real shell hands them on as they were', () => {
  fc.assert(
    fc.property(words, (all) => {
      const said = execFileSync('sh', ['-c', `printf '%s\\0' ${quoteWords(all)}`], { encoding: 'utf8' });
      assert.deepEqual(said.split('\0').slice(0, -1), all);
    }),
    { numRuns: 150 },
  );
});

test('a word that no program can be given is an error', () => {
  assert.throws(() => quoteWord('a\0b'), /NUL/);
});

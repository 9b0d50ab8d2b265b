import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ActionName, actionOf, actionsOf } from './table.ts';

const actions = actionsOf();
const names = Object.keys(actions) as ActionName[];

test('a script is one line of ASCII that sudoers can hold', () => {
  for (const name of names) {
    const { script } = actionOf(actions, name);
    assert.match(script, /^[\x20-\x7e]+$/, name);
    assert.doesNotMatch(script, / {2}/, name);
    assert.doesNotMatch(
      script,
      /(?:^|[;\s])#/,
      `${name} has a comment, which would swallow the rest of the line`,
    );
    assert.ok(script.length < 8000, name);
  }
});

test('no script evaluates what it is given', () => {
  for (const name of names) {
    const { script } = actionOf(actions, name);
    assert.doesNotMatch(script, /\beval\b|\bsh -c\b|\bxargs\b/, name);
    // A parameter outside of quotes would be split and globbed.
    const bare = script
      .replace(/"\$[1-9@#]"/g, '')
      .replace(/'[^']*'/g, '')
      .replace(/"[^"]*"/g, '');
    assert.doesNotMatch(bare, /(?<!u=|rule=|mode=|vmlinuz-)\$[1-9@*]/, name);
  }
});

test('every action has its limits', () => {
  for (const name of names) {
    const { timeout_ms, output_bytes_max, about } = actionOf(actions, name);
    assert.ok(timeout_ms > 0 && timeout_ms <= 15 * 60_000, name);
    assert.ok(output_bytes_max > 0 && output_bytes_max <= 5 * 1024 * 1024, name);
    assert.match(about, /^[\x20-\x7e]{10,100}$/, name);
  }
});

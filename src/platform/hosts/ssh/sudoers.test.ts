import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actionsOf } from '../actions/table.ts';
import { sudoersOf } from './sudoers.ts';

const commands = (text: string) => text.split('\n').filter((line) => line.includes('NOPASSWD'));

test('the file lists the actions that need root, all of those and no other', () => {
  const actions = actionsOf();
  const text = sudoersOf(actions, 'drover');
  const named = [...text.matchAll(/^# (\w+): /gm)].map(([, name]) => name);
  const root = Object.entries(actions).filter(([, { root }]) => root);
  assert.deepEqual(named.sort(), root.map(([name]) => name).sort());
  assert.equal(commands(text).length, root.length);
  assert.ok(root.length > 5 && root.length < Object.keys(actions).length);
});

test('a site may allow fewer', () => {
  const { facts } = actionsOf();
  assert.equal(commands(sudoersOf({ facts }, 'drover')).length, 1);
});

test('no command has a wildcard, and every character that means something to sudo is escaped', () => {
  for (const line of commands(sudoersOf(actionsOf(), 'drover'))) {
    const command = line.slice(line.indexOf('-c '));
    const plain = command.replaceAll(String.raw`\\\\`, '').replace(/\\[*?[\],:=#]/g, '');
    assert.doesNotMatch(plain, /[\\*?[\],:=#]/, line.slice(0, 100));
  }
});

test('units of the site stand in the file; another list is another file', () => {
  const text = sudoersOf(actionsOf({ units: ['node-agent'] }), 'drover');
  assert.match(text, /kubelet\|containerd\|node-agent\)/);
  assert.notEqual(text, sudoersOf(actionsOf(), 'drover'));
});

test('neither a user nor a unit can bring anything of their own into the file', () => {
  for (const user of ['ALL', '%wheel', 'a b', 'a\nroot ALL=(ALL) ALL', ''])
    assert.throws(() => sudoersOf(actionsOf(), user), /not a user name/);
  for (const unit of ['*', 'a b', 'a;b', 'a|b', '$(id)', '-x', 'a)', 'A', ''])
    assert.throws(() => actionsOf({ units: [unit] }), /not a unit name/, unit);
});

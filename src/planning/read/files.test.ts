import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stringify } from 'yaml';
import { PlanError } from '../model.ts';
import { OBJECTS_MAX, objectsIn, TEXT_LENGTH_MAX } from './files.ts';

const apiVersion = 'drover.dev/v1alpha1';
const classOf = (name: string) => ({
  apiVersion,
  kind: 'MachineClass',
  metadata: { name },
  spec: { resources: { cpu: 96 } },
});
const profileOf = (name: string) => ({
  apiVersion,
  kind: 'WorkloadProfile',
  metadata: { name },
  spec: { kind: 'Core', resources: { cpu: 16 }, replicas: 1 },
});
const placesIn = (text: string) =>
  objectsIn(text, 'f').map(({ from, object }) => [from, object.metadata.name]);

describe('a file of classes and profiles', () => {
  it('has several documents, counted as they are separated; empty ones are nothing', () => {
    const text = `# a comment\n---\n${stringify(classOf('a'))}---\n---\n${stringify(profileOf('b'))}`;
    assert.deepEqual(placesIn(text), [
      ['f, document 1', 'a'],
      ['f, document 3', 'b'],
    ]);
  });

  it('may hold lists, as kubectl writes them, in YAML and in JSON', () => {
    const list = { apiVersion: 'v1', kind: 'List', items: [classOf('a'), profileOf('b')] };
    const typed = { apiVersion, kind: 'MachineClassList', items: [classOf('c')] };
    const places = [
      ['f, document 1, item 1', 'a'],
      ['f, document 1, item 2', 'b'],
    ];
    assert.deepEqual(placesIn(stringify(list)), places);
    assert.deepEqual(placesIn(JSON.stringify(list)), places);
    assert.deepEqual(placesIn(JSON.stringify(typed)), [['f, document 1, item 1', 'c']]);
  });

  it('gives one object alike, whether YAML or JSON', () => {
    const [yaml, json] = [stringify(classOf('a')), JSON.stringify(classOf('a'))].map((t) =>
      objectsIn(t, 'f'),
    );
    assert.deepEqual(yaml, json);
    assert.deepEqual(yaml?.[0]?.object, classOf('a'));
  });

  const yaml = stringify(classOf('a'));
  const machine = { apiVersion, kind: 'Machine', metadata: { name: 'm1' }, spec: {} };
  const BAD: [string, string, string][] = [
    ['nothing', '', 'f: there is nothing in it; MachineClass or WorkloadProfile is wanted'],
    [
      'only comments',
      '# later\n---\n',
      'f: there is nothing in it; MachineClass or WorkloadProfile is wanted',
    ],
    [
      'another kind',
      `${yaml}---\n${stringify(machine)}`,
      'f, document 2, line 9: Machine/m1 is not planned with; only MachineClass and WorkloadProfile are',
    ],
    [
      'another kind in a list',
      stringify({ kind: 'List', items: [classOf('a'), machine] }),
      'f, document 1, item 2, line 10: Machine/m1 is not planned with; only MachineClass and WorkloadProfile are',
    ],
    [
      'another kind in JSON',
      JSON.stringify(machine),
      'f, document 1: Machine/m1 is not planned with; only MachineClass and WorkloadProfile are',
    ],
    ['text', 'hello', 'f, document 1, line 1: is no object; apiVersion, kind, metadata and spec are wanted'],
    [
      'no kind',
      'metadata: { name: a }',
      'f, document 1, line 1: kind is missing; write MachineClass or WorkloadProfile',
    ],
    [
      'another version',
      yaml.replace('v1alpha1', 'v1'),
      'f, document 1, line 1: apiVersion: "drover.dev/v1" is not that of MachineClass; write drover.dev/v1alpha1',
    ],
    [
      'no version',
      'kind: MachineClass',
      'f, document 1, line 1: apiVersion: is missing; write drover.dev/v1alpha1',
    ],
    [
      'no name',
      yaml.replace('name: a', 'labels: {}'),
      'f, document 1, line 1: metadata.name: is missing; write lower-case letters, digits, - and .',
    ],
    [
      'a name that is none',
      yaml.replace('name: a', 'name: Big_One'),
      'f, document 1, line 1: metadata.name: "Big_One" is no name; write lower-case letters, digits, - and .',
    ],
    [
      'YAML that is none',
      `${yaml}---\nkind: [MachineClass\n`,
      'f, document 2, line 10, column 1: Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
    [
      'a key twice',
      `${yaml}kind: MachineClass\n`,
      'f, document 1, line 8, column 1: Map keys must be unique',
    ],
    [
      'an alias of nothing',
      'kind: *none',
      'f, document 1: Unresolved alias (the anchor must be set before the alias): none',
    ],
    [
      'more objects than can be planned with',
      JSON.stringify({ kind: 'List', items: Array.from({ length: OBJECTS_MAX + 1 }, () => ({})) }),
      'f: 10501 objects; 10500 at most can be planned with',
    ],
    [
      'more text than is read',
      ' '.repeat(TEXT_LENGTH_MAX + 1),
      'f: 16777217 characters; 16777216 at most are read',
    ],
  ];
  for (const [what, text, message] of BAD)
    it(`is refused where it holds ${what}`, () =>
      assert.throws(() => objectsIn(text, 'f'), new PlanError(message)));

  it('is refused where aliases would make it grow without end', () => {
    const levels = Array.from({ length: 12 }, (_, at) =>
      at === 0
        ? 'l0: &l0 [x, x, x, x]'
        : `l${at}: &l${at} [*l${at - 1}, *l${at - 1}, *l${at - 1}, *l${at - 1}]`,
    );
    assert.throws(
      () => objectsIn(levels.join('\n'), 'f'),
      /^PlanError: f, document 1: Excessive alias count/,
    );
  });
});

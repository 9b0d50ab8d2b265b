import assert from 'node:assert/strict';
import { test } from 'node:test';
import { machineKind } from '../api/machine.ts';
import { make } from '../test-builders.ts';
import { hostOf } from './targets.ts';

test('a host is named as its provider, its sshd and its cluster name it', () => {
  const spec = { cluster: 'east', provider: { name: 'ecs', id: 'i-1' } };
  assert.deepEqual(hostOf(make(machineKind, 'm1', spec), undefined), {
    id: 'i-1',
    ssh: 'm1:22',
    node: { cluster: 'east', name: 'm1' },
  });
  const named = make(machineKind, 'm1', { ...spec, nodeName: 'node-1' });
  assert.equal(hostOf(named, undefined).node?.name, 'node-1');
});

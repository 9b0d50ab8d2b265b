import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placeOf, sshOptions } from './options.ts';

test('addresses with and without a port, of both kinds', () => {
  assert.deepEqual(placeOf('10.0.0.1:2222'), { host: '10.0.0.1', port: 2222 });
  assert.deepEqual(placeOf('m1.example', 2200), { host: 'm1.example', port: 2200 });
  assert.deepEqual(placeOf('[fd00::1]:22'), { host: 'fd00::1', port: 22 });
  assert.deepEqual(placeOf('fd00::1'), { host: 'fd00::1', port: 22 });
});

test('what is no address is refused, with what would be right', () => {
  for (const wrong of [
    '',
    '-x:22',
    'a b',
    'a:0',
    'a:65536',
    'a:b',
    '0x7f.1',
    '2130706433',
    '127.1',
    'a;b',
    'a%b',
    'a/b',
    '[a]b',
  ])
    assert.throws(() => placeOf(wrong), /HOST:PORT or \[IPv6\]:PORT is wanted/, wrong);
});

test('a way without known hosts, or with no credentials or two kinds, is refused', () => {
  const right = {
    user: 'drover',
    agentSocket: '/run/agent',
    knownHosts: '@cert-authority * ssh-ed25519 AAAA',
  };
  assert.equal(sshOptions.safeParse(right).success, true);
  const wrong = [
    { ...right, knownHosts: '' },
    { ...right, agentSocket: undefined },
    { ...right, keys: { privateKey: 'x' } },
    { ...right, user: '-oProxyCommand=x' },
    { ...right, jump: { user: 'a', host: 'b' } },
    { ...right, jump: { user: 'a', host: '-b', agentSocket: '/x' } },
    { ...right, strict: false },
  ];
  for (const options of wrong)
    assert.equal(sshOptions.safeParse(options).success, false, JSON.stringify(options));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureIn, isLoggedIn, lastWords } from './failures.ts';

const SAID: readonly [string, string | undefined][] = [
  ['ssh: connect to host 127.0.0.1 port 2222: Connection refused', 'Unreachable'],
  ['ssh: connect to host 198.18.0.2 port 22: Connection timed out', 'Unreachable'],
  ['ssh: connect to host 198.18.0.2 port 22: No route to host', 'Unreachable'],
  ['ssh: Could not resolve hostname m1: Name or service not known', 'Unreachable'],
  [
    'kex_exchange_identification: Connection closed by remote host\nConnection closed by 127.0.0.1 port 22',
    'Unreachable',
  ],
  [
    'kex_exchange_identification: read: Connection reset by peer\nConnection reset by 127.0.0.1 port 22',
    'Unreachable',
  ],
  [
    'Unable to negotiate with 127.0.0.1 port 22: no matching host key type found. Their offer: ssh-dss',
    'Unreachable',
  ],
  [
    'channel 0: open failed: connect failed: Connection refused\nstdio forwarding failed\nkex_exchange_identification: Connection closed by remote host',
    'Unreachable',
  ],
  ['Connection timed out during banner exchange\nConnection to 127.0.0.1 port 2222 timed out', 'Silent'],
  ['Connection to 127.0.0.1 port 22 timed out', 'Silent'],
  ['Timeout, server 127.0.0.1 not responding.', 'Silent'],
  ['root@127.0.0.1: Permission denied (publickey).', 'BadCredentials'],
  ['Received disconnect from 127.0.0.1 port 22:2: Too many authentication failures', 'BadCredentials'],
  [
    'Load key "/tmp/x/own": error in libcrypto\nroot@127.0.0.1: Permission denied (publickey).',
    'BadCredentials',
  ],
  [
    'sign_and_send_pubkey: signing failed for ED25519 "x" from agent: agent refused operation',
    'BadCredentials',
  ],
  [
    '@@@@@@@\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n@@@@@@@\nHost key verification failed.',
    'HostKeyChanged',
  ],
  [
    'Host key for [127.0.0.1]:22 has changed and you have requested strict checking.\nHost key verification failed.',
    'HostKeyChanged',
  ],
  ['@ WARNING: REVOKED HOST KEY DETECTED! @\nHost key verification failed.', 'HostKeyChanged'],
  [
    'No ED25519 host key is known for [127.0.0.1]:22 and you have requested strict checking.\nHost key verification failed.',
    'HostKeyUnknown',
  ],
  ['Certificate invalid: name is not a listed principal\nHost key verification failed.', 'HostKeyUnknown'],
  ['Certificate invalid: expired\nHost key verification failed.', 'CertificateExpired'],
  ['Certificate invalid: not yet valid\nHost key verification failed.', 'CertificateExpired'],
  ['something that no ssh has said yet', undefined],
  ['', undefined],
];

test('what ssh says is told apart', () => {
  for (const [log, failure] of SAID) assert.equal(failureIn(log)?.failure, failure, log);
});

test('the line that says it is the message', () => {
  const log = 'Warning: something\nssh: connect to host m1 port 22: Connection refused\n';
  assert.equal(failureIn(log)?.message, 'ssh: connect to host m1 port 22: Connection refused');
});

test('a login is seen in what ssh says of itself, and its usual words are no complaint', () => {
  const log =
    'Authenticated to 127.0.0.1 ([127.0.0.1]:22) using "publickey".\nTransferred: sent 1, received 2 bytes, in 0.1 seconds\nBytes per second: sent 1.0, received 2.0\n';
  assert.equal(isLoggedIn(log), true);
  assert.equal(lastWords(log), '');
  assert.equal(isLoggedIn('not Authenticated to anything'), false);
});

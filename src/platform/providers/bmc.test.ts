import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bmcAddress, bmcLogin } from './bmc.ts';
import { ProviderError } from './provider.ts';

const REF = { namespace: 'drover', name: 'bmc' };
const failsWith = (failure: string, says: RegExp) => (error: unknown) =>
  error instanceof ProviderError && error.failure === failure && says.test(error.message);

describe('the address of a BMC', () => {
  it('is a name or an address, with a port and a path where they are not the usual ones', () => {
    assert.deepEqual(bmcAddress('bmc-7.example', 443), { host: 'bmc-7.example', port: 443, path: '' });
    assert.deepEqual(bmcAddress('10.0.0.7:8443', 443), { host: '10.0.0.7', port: 8443, path: '' });
    assert.deepEqual(bmcAddress('[2001:db8::7]:623', 443), { host: '2001:db8::7', port: 623, path: '' });
    const path = '/redfish/v1/Systems/System.Embedded.1';
    assert.deepEqual(bmcAddress(`10.0.0.7${path}`, 443), { host: '10.0.0.7', port: 443, path });
  });

  it('is never an option, a command or another thing', () => {
    for (const id of [
      '',
      '-oProxyCommand=x',
      '10.0.0.7:0',
      '10.0.0.7:99999',
      'a b',
      'a;b',
      '$(x)',
      'http://h',
      'h?x',
      '2001:db8::7',
    ])
      assert.throws(() => bmcAddress(id, 443), failsWith('NotFound', /names no BMC: write host/), id);
  });
});

describe('the login of a BMC', () => {
  const login = (values: Record<string, string>, host = '10.0.0.7') =>
    bmcLogin(async () => values, REF, host);

  it('is its own where it has one, else what all share', async () => {
    const values = { username: 'all', password: 'shared', '10.0.0.7.password': 'own' };
    assert.deepEqual(await login(values), { username: 'all', password: 'own' });
    assert.deepEqual(await login(values, '10.0.0.8'), { username: 'all', password: 'shared' });
    const v6 = { ...values, '2001_db8__7.username': 'six' };
    assert.deepEqual(await login(v6, '2001:db8::7'), { username: 'six', password: 'shared' });
  });

  it('loses the line end that an editor left, and no blank of the password', async () => {
    assert.equal((await login({ username: 'a\n', password: ' p w \n' })).password, ' p w ');
  });

  it('says what is missing, and in which Secret', async () => {
    const says = (what: RegExp) => failsWith('BadCredentials', what);
    await assert.rejects(
      login({ password: 'x' }),
      says(/Secret drover\/bmc has no username for 10\.0\.0\.7/),
    );
    await assert.rejects(login({ username: 'x' }), says(/no password/));
    const gone = () => Promise.reject(new Error('there is no Secret drover/bmc'));
    await assert.rejects(bmcLogin(gone, REF, 'h'), says(/can't be read: there is no Secret/));
    const wrong = { username: 'x', password: 'y', '10.0.0.7.sha256': 'abc' };
    await assert.rejects(login(wrong), says(/10\.0\.0\.7\.sha256 is no SHA-256/));
  });

  it('takes a fingerprint as openssl writes it', async () => {
    const printed = Array(32).fill('AB').join(':');
    const found = await login({ username: 'x', password: 'y', '10.0.0.7.sha256': printed });
    assert.equal(found.sha256, 'ab'.repeat(32));
  });
});

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { stringify } from 'yaml';
import { systemClock } from '../clock/system.ts';
import { VirtualClock } from '../clock/virtual.ts';
import { makeCertificates, sendJson, serveTls, testFolder } from './kubeconfig/test-server.ts';
import { KubeconfigError, kubeconfigFromText, type LoadOptions, loadKubeconfig } from './kubeconfig.ts';
import { TransportError } from './transport.ts';

const certificates = makeCertificates();
const folder = testFolder();
const caData = base64(certificates.ca);

/** Answers with what it saw; the token `old` is refused. */
const server = await serveTls(certificates, (request, response) => {
  const { authorization } = request.headers;
  const impersonate = Object.entries(request.headers).filter(([name]) => name.startsWith('impersonate-'));
  const cert = (request.socket as TLSSocket).getPeerCertificate().subject?.CN;
  const body = { authorization, cert, impersonate: Object.fromEntries(impersonate) };
  sendJson(response, body, authorization === 'Bearer old' ? 401 : 200);
});
after(() => {
  server.close();
  certificates.remove();
  rmSync(folder, { recursive: true });
});

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

interface Parts {
  cluster?: object;
  user?: object;
  context?: object;
  more?: object;
}

function config({ cluster, user, context, more }: Parts = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'main',
    clusters: [
      { name: 'c', cluster: { server: server.url, 'certificate-authority-data': caData, ...cluster } },
    ],
    users: [
      { name: 'nobody', user: null },
      { name: 'u', user: user ?? { token: 'good' } },
    ],
    contexts: [{ name: 'main', context: { cluster: 'c', user: 'u', ...context } }],
    ...more,
  };
}

let files = 0;
function write(content: object | string, name = `config-${files++}`): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : stringify(content));
  return path;
}

function load(content: object, options: Partial<LoadOptions> = {}) {
  return loadKubeconfig({
    path: write(content),
    clock: systemClock,
    env: { PATH: process.env.PATH },
    ...options,
  });
}

interface Seen {
  authorization?: string;
  cert?: string;
  impersonate: Record<string, string>;
}

async function seenBy({ transport }: ReturnType<typeof loadKubeconfig>): Promise<Seen> {
  const response = await transport.send({ method: 'GET', path: '/' });
  transport.close();
  return response.body as Seen;
}

const rejects = (content: object, message: RegExp) => {
  assert.throws(
    () => load(content),
    (error) => {
      assert.ok(error instanceof KubeconfigError);
      assert.match(error.message, message);
      assert.ok(error.message.startsWith(`kubeconfig ${folder}/`), error.message);
      return true;
    },
  );
};

test('a context names server, user and namespace', async () => {
  const loaded = load(config({ context: { namespace: 'ops' } }));
  assert.deepEqual(
    { ...loaded, transport: undefined },
    {
      name: 'main',
      server: server.url,
      user: 'u',
      namespace: 'ops',
      transport: undefined,
    },
  );
  assert.equal((await seenBy(loaded)).authorization, 'Bearer good');
  const anonymous = load(config({ context: { user: '' } }));
  assert.equal(anonymous.namespace, 'default');
  assert.equal((await seenBy(anonymous)).authorization, undefined);
});

test('several files: the first to name a thing decides it', async () => {
  const other = { name: 'other', context: { cluster: 'c', user: 'nobody' } };
  const first = write(
    config({ user: { token: 'first' }, more: { 'current-context': '', contexts: [other] } }),
  );
  const second = write(config({ user: { token: 'second' } }));
  const empty = write('');
  const env = { KUBECONFIG: ['', join(folder, 'missing'), empty, first, second].join(':') };
  const merged = loadKubeconfig({ clock: systemClock, env });
  assert.equal(merged.name, 'main');
  assert.equal((await seenBy(merged)).authorization, 'Bearer first');
  assert.equal(loadKubeconfig({ clock: systemClock, env, context: 'other' }).user, 'nobody');
});

test('without KUBECONFIG it is ~/.kube/config, and an error when there is nothing', () => {
  mkdirSync(join(folder, '.kube'));
  write(config(), '.kube/config');
  assert.equal(loadKubeconfig({ clock: systemClock, env: { HOME: folder } }).name, 'main');
  const nothing = () => loadKubeconfig({ clock: systemClock, env: { HOME: join(folder, 'nobody') } });
  assert.throws(nothing, /nobody\/\.kube\/config: no such file; set KUBECONFIG/);
  const missing = () => loadKubeconfig({ path: join(folder, 'missing'), clock: systemClock, env: {} });
  assert.throws(missing, /missing: no such file/);
});

test('files are relative to the kubeconfig that names them', async () => {
  write(certificates.ca, 'ca.crt');
  write(certificates.client.cert, 'me.crt');
  write(certificates.client.key, 'me.key');
  const cluster = { 'certificate-authority-data': null, 'certificate-authority': 'ca.crt' };
  const user = { 'client-certificate': 'me.crt', 'client-key': join(folder, 'me.key') };
  assert.equal((await seenBy(load(config({ cluster, user })))).cert, 'client');
});

test('client certificates as data, passwords, impersonation', async () => {
  const { cert, key } = certificates.client;
  const data = { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) };
  assert.equal((await seenBy(load(config({ user: data })))).cert, 'client');
  const basic = await seenBy(load(config({ user: { username: 'me', password: 'pw' } })));
  assert.equal(basic.authorization, `Basic ${base64('me:pw')}`);
  const as = { token: 'good', as: 'jane', 'as-groups': ['dev', 'ops'], 'as-user-extra': { 'a.b/c': ['d'] } };
  assert.deepEqual((await seenBy(load(config({ user: as })))).impersonate, {
    'impersonate-user': 'jane',
    'impersonate-group': 'dev, ops',
    'impersonate-extra-a.b%2fc': 'd',
  });
});

test('a token file is read again after a minute, or when the token is refused', async () => {
  const clock = new VirtualClock();
  write('one\n', 'token');
  const { transport } = load(config({ user: { tokenFile: 'token' } }), { clock });
  const token = async () => (await transport.send({ method: 'GET', path: '/' })).body as Seen;
  assert.equal((await token()).authorization, 'Bearer one');
  write('two\n', 'token');
  assert.equal((await token()).authorization, 'Bearer one');
  await clock.advance(60_000);
  assert.equal((await token()).authorization, 'Bearer two');
  rmSync(join(folder, 'token'));
  await clock.advance(60_000);
  assert.equal((await token()).authorization, 'Bearer two');
  write('old\n', 'token');
  await clock.advance(60_000);
  assert.equal((await token()).authorization, 'Bearer old');
  write('three\n', 'token');
  assert.equal((await token()).authorization, 'Bearer three');
  transport.close();
});

test('in a Pod the service account is used, unless there is a kubeconfig', async () => {
  const account = join(folder, 'account');
  const { port } = new URL(server.url);
  const env = { HOME: account, KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: port };
  const inPod = () => loadKubeconfig({ clock: systemClock, env, serviceAccountFolder: account });
  assert.throws(inPod, /in-cluster: no .*account\/token; let the Pod mount/);
  mkdirSync(account);
  write('pod-token\n', 'account/token');
  write(certificates.ca, 'account/ca.crt');
  write('drover\n', 'account/namespace');
  assert.equal(inPod().namespace, 'drover');
  assert.equal(inPod().name, 'in-cluster');
  assert.equal((await seenBy(inPod())).authorization, 'Bearer pod-token');
  const path = write(config());
  const both = loadKubeconfig({ clock: systemClock, env: { ...env, KUBECONFIG: path } });
  assert.equal(both.name, 'main');
});

test('errors name the file, the field, what is wrong and what is right', () => {
  const exec = (over: object) =>
    config({ user: { exec: { apiVersion: V1, command: 'x', interactiveMode: 'Never', ...over } } });
  const V1 = 'client.authentication.k8s.io/v1';
  rejects(
    exec({ apiVersion: 'client.authentication.k8s.io/v1alpha1' }),
    /: users\[1\]\.user\.exec\.apiVersion: "client\.authentication\.k8s\.io\/v1alpha1" is not supported; use client\.authentication\.k8s\.io\/v1$/,
  );
  rejects(exec({ interactiveMode: undefined }), /exec\.interactiveMode: missing; write Never/);
  rejects(exec({ interactiveMode: 'Always' }), /exec\.interactiveMode: Always is not supported/);
  rejects(exec({ command: '' }), /exec\.command: empty; name the program/);
  rejects(
    config({ user: { 'auth-provider': { name: 'gcp' } } }),
    /users\[1\]\.user\.auth-provider: .*use exec/,
  );
  rejects(config({ user: { token: 'a', username: 'b' } }), /user\.username: the entry has a token too/);
  rejects(config({ user: { 'as-groups': ['a'] } }), /user\.as: missing/);
  rejects(config({ user: { tokenFile: 'gone' } }), /user\.tokenFile: ENOENT/);
  rejects(
    config({ user: { 'client-certificate-data': 'abc' } }),
    /client-certificate-data: not the base64 of PEM/,
  );
  const { cert } = certificates.client;
  const halves = { 'client-certificate-data': base64(cert) };
  rejects(config({ user: halves }), /client-key-data: missing, while/);
  const strangers = { ...halves, 'client-key-data': base64(certificates.server.key) };
  rejects(config({ user: strangers }), /client-key-data: the certificate and the key do not work together/);
  rejects(
    config({ cluster: { server: 'nowhere' } }),
    /clusters\[0\]\.cluster\.server: "nowhere" is not a URL; write https/,
  );
  rejects(config({ cluster: { server: undefined } }), /cluster\.server: missing; write https/);
  rejects(
    config({ cluster: { 'proxy-url': 'socks5://h:1' } }),
    /cluster\.proxy-url: socks5 proxies are not supported/,
  );
  rejects(config({ cluster: { 'insecure-skip-tls-verify': true } }), /insecure-skip-tls-verify: true, while/);
  rejects(config({ context: { user: 'ghost' } }), /contexts\[0\]\.context\.user: no user "ghost" in users/);
  rejects(config({ context: { cluster: 'ghost' } }), /context\.cluster: no cluster "ghost" in clusters/);
  rejects(config({ more: { 'current-context': 'x' } }), /contexts: no context "x"; there are: main/);
  rejects(
    config({ more: { 'current-context': null } }),
    /current-context: not set; set it, or choose with --context/,
  );
  rejects(config({ more: { kind: 'Pod' } }), /kind: "Pod" is not a kubeconfig/);
  assert.throws(
    () => loadKubeconfig({ path: write('a: [', 'bad'), clock: systemClock, env: {} }),
    /bad: not YAML: /,
  );
  assert.throws(
    () => loadKubeconfig({ path: write('- a', 'list'), clock: systemClock, env: {} }),
    /not a kubeconfig/,
  );
});

test('a broken entry that the context does not name is let be', () => {
  const users = [
    { name: 'u', user: { token: 'good' } },
    { name: 'v', user: { exec: { apiVersion: 'x' } } },
  ];
  assert.equal(load(config({ more: { users } })).user, 'u');
});

test('the text of a Secret may name neither files nor programs', async () => {
  const fromText = (content: object) =>
    kubeconfigFromText(stringify(content), { source: 'Secret drover/prod', clock: systemClock });
  assert.equal((await seenBy(fromText(config()))).authorization, 'Bearer good');
  const refused = (content: object, message: RegExp) => assert.throws(() => fromText(content), message);
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'x', interactiveMode: 'Never' };
  refused(
    config({ user: { exec } }),
    /kubeconfig Secret drover\/prod: users\[1\]\.user\.exec: programs cannot be run/,
  );
  refused(config({ user: { exec, token: 'good' } }), /user\.exec: programs cannot be run/);
  refused(
    config({ user: { tokenFile: '/etc/passwd' } }),
    /user\.tokenFile: files cannot be named here; use token$/,
  );
  refused(config({ user: { 'client-key': 'a' } }), /user\.client-key: files cannot be .*use client-key-data/);
  const cluster = { 'certificate-authority-data': null, 'certificate-authority': '/ca.crt' };
  refused(
    config({ cluster }),
    /certificate-authority: files cannot be named here; use certificate-authority-data/,
  );
});

const V1BETA1 = 'client.authentication.k8s.io/v1beta1';

/** A plugin that counts its runs, keeps what it was told and prints what `answer` holds by then. */
function plugin(name: string, script = 'cat answer') {
  const home = join(folder, name);
  mkdirSync(home);
  const path = join(home, 'plugin');
  writeFileSync(
    path,
    `#!/bin/sh\ncd ${home}\necho run >> runs\nprintf %s "$KUBERNETES_EXEC_INFO" > info\n${script}\n`,
  );
  chmodSync(path, 0o755);
  return {
    command: `./${name}/plugin`,
    answer: (status: object, apiVersion = V1BETA1) => {
      writeFileSync(join(home, 'answer'), JSON.stringify({ apiVersion, kind: 'ExecCredential', status }));
    },
    runs: () => readFileSync(join(home, 'runs'), 'utf8').trim().split('\n').length,
    info: () => JSON.parse(readFileSync(join(home, 'info'), 'utf8')),
  };
}

test('an exec plugin is run once, again when its answer expires, and when it is refused', async () => {
  const clock = new VirtualClock();
  const { command, answer, runs, info } = plugin('login');
  const exec = { apiVersion: V1BETA1, command, args: null, env: null };
  const { transport } = load(config({ user: { exec } }), { clock });
  const token = async () => ((await transport.send({ method: 'GET', path: '/' })).body as Seen).authorization;
  answer({ token: 'one', expirationTimestamp: new Date(clock.now() + 60_000).toISOString() });
  assert.deepEqual(await Promise.all([token(), token(), token()]), Array(3).fill('Bearer one'));
  assert.equal(runs(), 1);
  assert.deepEqual(info(), { apiVersion: V1BETA1, kind: 'ExecCredential', spec: { interactive: false } });
  await clock.advance(60_000);
  answer({ token: 'old' });
  assert.equal(await token(), 'Bearer old'); // refused, renewed, the same again
  assert.equal(runs(), 3);
  answer({ token: 'three' });
  assert.deepEqual(await Promise.all([token(), token()]), ['Bearer three', 'Bearer three']);
  assert.equal(runs(), 4);
  transport.close();
});

test('an exec plugin gets its arguments, its environment and the cluster, and may give a certificate', async () => {
  const { command, info } = plugin('cert', 'cat "$FROM/$1"');
  const { cert: clientCertificateData, key: clientKeyData } = certificates.client;
  const apiVersion = 'client.authentication.k8s.io/v1';
  const answer = { apiVersion, kind: 'ExecCredential', status: { clientCertificateData, clientKeyData } };
  write(JSON.stringify(answer), 'cert/given');
  const env = [{ name: 'FROM', value: join(folder, 'cert') }];
  const interactiveMode = 'IfAvailable';
  const exec = { apiVersion, command, args: ['given'], env, interactiveMode, provideClusterInfo: true };
  const extensions = [{ name: 'client.authentication.k8s.io/exec', extension: { audience: 'me' } }];
  const loaded = load(config({ user: { exec }, cluster: { extensions } }));
  assert.equal((await seenBy(loaded)).cert, 'client');
  assert.deepEqual(info().spec.cluster, {
    server: server.url,
    'certificate-authority-data': caData,
    config: { audience: 'me' },
  });
});

test('an exec plugin that fails says how', async () => {
  const failure = async (exec: object, options: Partial<LoadOptions> = {}): Promise<string> => {
    const { transport } = load(config({ user: { exec: { apiVersion: V1BETA1, ...exec } } }), options);
    const error = await transport.send({ method: 'GET', path: '/' }).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof TransportError);
    assert.equal(error.sent, false);
    return error.message;
  };
  const missing = await failure({ command: 'no-such-plugin', installHint: 'get it at the shop' });
  assert.match(
    missing,
    /exec plugin no-such-plugin of user u \(kubeconfig .*\) not found on PATH; install it\nget it at the shop/,
  );
  const angry = plugin('angry', 'echo "login first" >&2; exit 3');
  assert.match(await failure({ command: angry.command }), /ended with exit code 3: login first/);
  const chatty = plugin('chatty', 'echo hello');
  assert.match(await failure({ command: chatty.command }), /printed no ExecCredential/);
  const wrong = plugin('wrong');
  wrong.answer({ token: 'x' }, 'client.authentication.k8s.io/v1');
  assert.match(
    await failure({ command: wrong.command }),
    /answered with apiVersion client.authentication.k8s.io\/v1; the/,
  );
  wrong.answer({});
  assert.match(await failure({ command: wrong.command }), /gave neither status.token nor/);
  const clock = new VirtualClock();
  const slow = plugin('slow', 'sleep 1000');
  const late = failure({ command: slow.command }, { clock });
  await systemClock.sleep(100);
  await clock.advance(60_000);
  assert.match(await late, /did not end within 60000 ms/);
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  bugsOf,
  compareKernelVersions,
  fixStateOf,
  hasFix,
  hotfixesFor,
  parseKernelVersion,
  parseKnownBugs,
  withSite,
} from './index.ts';

describe('kernel versions', () => {
  for (const [text, branch, upstream, build] of [
    ['4.19.91-19.1.al7.x86_64', '4.19 al7', [4, 19, 91], [19, 1]],
    ['5.10.134-13.an8', '5.10 an8', [5, 10, 134], [13]],
    ['4.18.0-372.9.1.el8', '4.18 el8 372', [4, 18, 0], [372, 9, 1]],
    ['4.18.0-372.26.1.el8_6.x86_64', '4.18 el8 372', [4, 18, 0], [372, 26, 1]],
    ['6.1.0-18-amd64', '6.1 debian', [6, 1, 0], [18]],
    ['5.15.0-91-generic', '5.15 generic', [5, 15, 0], [91]],
    ['5.10.205-195.807.amzn2.aarch64', '5.10 amzn2', [5, 10, 205], [195, 807]],
    ['3.10.0-1160.el7.x86_64', '3.10 el7 1160', [3, 10, 0], [1160]],
    ['6.6.30', '6.6 mainline', [6, 6, 30], []],
  ] as const) {
    it(`${text} is of branch ${branch}`, () => {
      assert.deepEqual(parseKernelVersion(text), { branch, upstream, build });
    });
  }

  for (const text of [
    '',
    'unknown',
    '6.9.0-rc3',
    '6.9.0+',
    '5.10.0-dirty+',
    '6.1.0-18',
    '5',
    'a.b.c',
    '6.1.0-0.deb11.18-amd64',
  ])
    it(`${JSON.stringify(text)} cannot be compared`, () => assert.equal(parseKernelVersion(text), undefined));

  for (const [kernel, fixed, state] of [
    ['4.19.91-19.1.al7.x86_64', '4.19.91-22.2.al7.x86_64', 'not fixed'],
    ['4.19.91-22.2.al7.x86_64', '4.19.91-22.2.al7.x86_64', 'fixed'],
    ['4.19.91-100.al7.x86_64', '4.19.91-22.2.al7.x86_64', 'fixed'],
    ['4.19.48-30.al7', '4.19.91-22.2.al7', 'not fixed'],
    ['4.18.0-372.9.1.el8.x86_64', '4.18.0-372.26.1.el8_6.x86_64', 'not fixed'],
    ['4.18.0-425.3.1.el8.x86_64', '4.18.0-372.26.1.el8_6.x86_64', 'unknown'],
    ['4.19.91-26.al7.x86_64', '4.19.91-22.an7.x86_64', 'unknown'],
    ['6.1.0-21-amd64', '6.1.0-18-amd64', 'fixed'],
    ['6.1.0-21-amd64', '6.1.76', 'unknown'],
    ['5.15.0-91-generic', '5.15.0-80-aws', 'unknown'],
    ['6.6.30', '6.6.31', 'not fixed'],
    ['6.8.1', '6.6.31', 'unknown'],
    ['6.9.0-rc3', '6.6.31', 'unknown'],
  ] as const) {
    it(`${kernel} against a fix in ${fixed}: ${state}`, () =>
      assert.equal(hasFix(kernel, [fixed]).state, state));
  }

  it('the fix of its own branch counts among many, and what is not known is said', () => {
    const fixedIn = ['5.10.134-15.an8', '4.19.91-27.al7', '6.6.31'];
    assert.deepEqual(hasFix('4.19.91-26.6.al7.x86_64', fixedIn), {
      state: 'not fixed',
      because: '4.19.91-26.6.al7.x86_64 is earlier than 4.19.91-27.al7, the first of its branch with the fix',
    });
    assert.match(
      hasFix('5.4.0-1-generic', fixedIn).because,
      /no version with the fix is known for the branch/,
    );
  });

  it('is an order, and takes any text', () => {
    const version = fc
      .tuple(fc.nat(3), fc.nat(30), fc.nat(5))
      .map(([a, b, c]) => parseKernelVersion(`4.19.9${a}-${b}.${c}.al7`));
    fc.assert(
      fc.property(version, version, version, (one, two, three) => {
        assert.ok(one && two && three);
        const order = compareKernelVersions(one, two) as number;
        assert.equal(Math.sign(order) + Math.sign(compareKernelVersions(two, one) as number), 0);
        if (order <= 0 && (compareKernelVersions(two, three) as number) <= 0)
          assert.ok((compareKernelVersions(one, three) as number) <= 0);
      }),
    );
    fc.assert(fc.property(fc.string(), (text) => void hasFix(text, [text, '6.6.31'])));
  });
});

describe('known bugs', () => {
  const bug = {
    id: 'page-cache-1',
    title: 'page cache of a truncated file',
    match: { signatures: ['c-1'], titles: ['BUG: Bad page state'] },
    links: ['https://example.org/bug/1'],
    fixCommit: '0123456789abcdef',
    fixedIn: ['4.19.91-27.al7.x86_64'],
    hotfixes: [{ name: 'kpatch-page-cache', kernels: ['4.19.91-26.al7.x86_64'] }],
  };
  const [parsed] = parseKnownBugs({ bugs: [bug] }, 'site.yaml');
  assert.ok(parsed);

  it('are found by signature, family or title, the surest first', () => {
    const byFamily = { ...parsed, id: 'other', match: { families: ['family-9'] } };
    assert.deepEqual(bugsOf([byFamily, parsed], { signature: 'c-1', families: ['family-9'] }), [
      parsed,
      byFamily,
    ]);
    assert.deepEqual(bugsOf([parsed], { title: 'BUG: Bad page state' }), [parsed]);
    assert.deepEqual(bugsOf([parsed], { signature: 'c-2', title: 'BUG' }), []);
  });

  it('a kernel has the fix by its version or by a hotfix that is loaded', () => {
    assert.equal(fixStateOf(parsed, '4.19.91-27.al7.x86_64').state, 'fixed');
    assert.equal(fixStateOf(parsed, '4.19.91-26.al7.x86_64').state, 'not fixed');
    assert.equal(fixStateOf(parsed, '4.19.91-26.al7.x86_64', ['kpatch-page-cache']).state, 'fixed');
    assert.deepEqual(hotfixesFor(parsed, '4.19.91-26.al7.x86_64'), ['kpatch-page-cache']);
    assert.deepEqual(hotfixesFor(parsed, '4.19.91-25.al7.x86_64'), []);
  });

  it('a site adds its own, and replaces ours by their id', () => {
    const mine = { ...parsed, title: 'as we call it' };
    const more = { ...parsed, id: 'more' };
    assert.deepEqual(
      withSite([parsed], [mine, more]).map(({ title, id }) => [id, title]),
      [
        ['page-cache-1', 'as we call it'],
        ['more', parsed.title],
      ],
    );
  });

  for (const [what, change, message] of [
    ['a commit', { fixCommit: 'HEAD' }, /site\.yaml: bugs\[1\]\.fixCommit: is no commit/],
    [
      'a version',
      { fixedIn: ['newest'] },
      /site\.yaml: bugs\[1\]\.fixedIn\[0\]: is no kernel version that can be compared/,
    ],
    ['no match', { match: {} }, /site\.yaml: bugs\[1\]\.match: names no signature, family or title/],
    ['a link', { links: ['ftp://x'] }, /site\.yaml: bugs\[1\]\.links\[0\]: /],
    ['an unknown field', { fixedin: [] }, /site\.yaml: bugs\[1\]: .*fixedin/],
    ['an id twice', { id: 'page-cache-1' }, /site\.yaml: bugs\[1\]\.id: there are two bugs page-cache-1/],
  ] as const) {
    it(`${what} that is wrong is named with its field`, () => {
      const wrong = { ...bug, id: 'wrong', ...change };
      assert.throws(() => parseKnownBugs({ bugs: [bug, wrong] }, 'site.yaml'), {
        name: 'KnownBugsError',
        message,
      });
    });
  }
});

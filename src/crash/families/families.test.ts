import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../../platform/clock/random.ts';
import { apply, type Family, FamilyBook, type FamilyDecision } from './index.ts';
import { similarityOf, weightsOf } from './similarity.ts';
import { plantedSignatures, shuffled } from './test-signatures.ts';

const alike = (one: readonly number[], two: readonly number[], commonness = (_: number) => 0) =>
  similarityOf(one, weightsOf(one, commonness), two, weightsOf(two, commonness));

describe('likeness of stacks', () => {
  const stack = fc.array(fc.nat(12), { minLength: 1, maxLength: 30 });
  const common = (frame: number) => (frame % 4) / 4;

  it('is symmetric, from 0 to 1, 1 for equal stacks, 0 for those that share nothing', () => {
    fc.assert(
      fc.property(stack, stack, (one, two) => {
        const there = alike(one, two, common);
        assert.ok(Math.abs(there - alike(two, one, common)) < 1e-12);
        assert.ok(there >= 0 && there <= 1);
        assert.ok(Math.abs(alike(one, one, common) - 1) < 1e-12);
        assert.ok(
          alike(
            one,
            two.map((frame) => frame + 100),
          ) < 1e-12,
        );
      }),
    );
  });

  it('the top weighs more than the bottom, and a rare frame more than one that is everywhere', () => {
    const base = [1, 2, 3, 4, 5, 6];
    assert.ok(alike(base, [9, 2, 3, 4, 5, 6]) < alike(base, [1, 2, 3, 4, 5, 9]));
    const everywhere = (frame: number) => (frame === 3 ? 0.9 : 0.01);
    assert.ok(alike(base, [1, 2, 9, 4, 5, 6], everywhere) > alike(base, [1, 9, 3, 4, 5, 6], everywhere));
  });

  it('an inlined frame more costs little', () => {
    assert.ok(alike([1, 2, 3, 4, 5], [1, 2, 9, 3, 4, 5]) > 0.75);
  });
});

/** Share of pairs on which two partitions agree, over pairs that are together in either. */
function agreement(one: ReadonlyMap<string, unknown>, two: ReadonlyMap<string, unknown>): number {
  const ids = [...one.keys()];
  let both = 0;
  let either = 0;
  for (let i = 0; i < ids.length; i++) {
    for (let j = i + 1; j < ids.length; j++) {
      const a = one.get(ids[i] as string) === one.get(ids[j] as string);
      const b = two.get(ids[i] as string) === two.get(ids[j] as string);
      if (a && b) both++;
      if (a || b) either++;
    }
  }
  return both / either;
}

describe('families', () => {
  const signatures = plantedSignatures(60, 8, seededRandom(4));
  const truth = new Map(signatures.map(({ id, truth }) => [id, truth]));
  const partition = (order: typeof signatures) => {
    const book = new FamilyBook();
    return new Map(order.map((signature) => [signature.id, book.add(signature).family]));
  };

  it('are those that were planted, in whatever order they come', () => {
    const first = partition(signatures);
    assert.ok(agreement(first, truth) > 0.95, `${agreement(first, truth)}`);
    for (let seed = 1; seed <= 4; seed++) {
      const other = partition(shuffled(signatures, seededRandom(seed)));
      assert.ok(agreement(other, truth) > 0.93, `seed ${seed}: ${agreement(other, truth)}`);
    }
  });

  it('never move a member: what came before stays as it was when more comes', () => {
    const book = new FamilyBook();
    const before = new Map<string, string>();
    for (const signature of shuffled(signatures, seededRandom(8))) {
      before.set(signature.id, book.add(signature).family);
      assert.equal(book.add(signature).family, before.get(signature.id));
    }
    for (const family of book.families)
      for (const id of family.members) assert.equal(before.get(id), family.id);
    assert.equal(
      book.families.reduce((sum, { members }) => sum + members.length, 0),
      signatures.length,
    );
  });

  it('are restored from records without comparing', () => {
    const book = new FamilyBook();
    const where = signatures.map((signature) => book.add(signature).family);
    const again = new FamilyBook();
    for (const [at, signature] of signatures.entries()) again.add(signature, where[at]);
    assert.deepEqual(again.families, book.families);
  });

  it('do not cross classes, and stacks without frames go by their title', () => {
    const book = new FamilyBook();
    const frames = ['a', 'b', 'c', 'd'];
    const one = book.add({ id: '1', class: 'oops', title: 't', frames });
    assert.deepEqual(one, { family: 'family-1', similarity: 1, founded: true });
    assert.notEqual(book.add({ id: '2', class: 'hang', title: 't', frames }).family, one.family);
    const bare = book.add({ id: '3', class: 'oops', title: 'u', frames: [] });
    assert.equal(book.add({ id: '4', class: 'oops', title: 'u', frames: [] }).family, bare.family);
    assert.notEqual(book.add({ id: '5', class: 'oops', title: 'v', frames: [] }).family, bare.family);
  });

  it('20,000 signatures come in seconds', () => {
    const many = shuffled(plantedSignatures(4000, 5, seededRandom(5)), seededRandom(6));
    const startedAt = performance.now();
    const book = new FamilyBook();
    for (const signature of many) book.add(signature);
    const seconds = (performance.now() - startedAt) / 1000;
    assert.ok(book.families.length > 3600 && book.families.length < 4800, `${book.families.length}`);
    assert.ok(seconds < 10, `${seconds} s`);
  });
});

describe('decisions of people', () => {
  const families: Family[] = [
    { id: 'a', class: 'oops', title: 'in a', members: ['1', '2', '3'] },
    { id: 'b', class: 'oops', title: 'in b', members: ['4'] },
    { id: 'c', class: 'hang', title: 'in c', members: ['5'] },
  ];
  const who = { by: 'li', at: '2026-05-01T00:00:00Z' };

  it('merge, split, rename, mute: applied in order, and an old name means the family that took it in', () => {
    const decisions: FamilyDecision[] = [
      { ...who, kind: 'merge', family: 'b', into: 'a' },
      { ...who, kind: 'rename', family: 'b', title: 'the page cache bug' },
      { ...who, kind: 'split', family: 'a', signatures: ['2'], newFamily: 'a2' },
      { ...who, kind: 'mute', family: 'c', until: '2026-06-01T00:00:00Z', reason: 'fix is rolling out' },
    ];
    const result = apply(decisions, families);
    assert.deepEqual(result.conflicts, []);
    assert.deepEqual(
      result.families.map(({ id, title, members }) => ({ id, title, members })),
      [
        { id: 'a', title: 'the page cache bug', members: ['1', '3', '4'] },
        { id: 'c', title: 'in c', members: ['5'] },
        { id: 'a2', title: 'the page cache bug', members: ['2'] },
      ],
    );
    assert.deepEqual(result.families[1]?.muted, {
      by: 'li',
      until: '2026-06-01T00:00:00Z',
      reason: 'fix is rolling out',
    });
    assert.equal(families[0]?.members.length, 3);
  });

  it('what comes later to a family that was merged is in the merged one', () => {
    const grown = families.map((family) => (family.id === 'b' ? { ...family, members: ['4', '9'] } : family));
    const { families: result } = apply([{ ...who, kind: 'merge', family: 'b', into: 'a' }], grown);
    assert.deepEqual(result[0]?.members, ['1', '2', '3', '4', '9']);
  });

  it('what cannot be followed is told, and the others still hold', () => {
    const decisions: FamilyDecision[] = [
      { ...who, kind: 'rename', family: 'x', title: 'y' },
      { ...who, kind: 'merge', family: 'a', into: 'b' },
      { ...who, kind: 'merge', family: 'b', into: 'a' },
      { ...who, kind: 'split', family: 'b', signatures: ['1', '7'], newFamily: 'd' },
      { ...who, kind: 'split', family: 'b', signatures: ['1'], newFamily: 'c' },
      { ...who, kind: 'split', family: 'c', signatures: ['5'], newFamily: 'd' },
      { ...who, kind: 'unmute', family: 'c' },
      { ...who, kind: 'mute', family: 'c' },
    ];
    const { families: result, conflicts } = apply(decisions, families);
    assert.deepEqual(
      conflicts.map(({ message }) => message),
      [
        'there is no family x',
        'b and a are one family already',
        '7 is not in b',
        'there is a family c already',
        'nothing of c would be left: rename it instead',
        'c is not muted',
      ],
    );
    assert.equal(result.find(({ id }) => id === 'c')?.muted?.by, 'li');
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { allowanceOf, countOrShare, duration, toMilliseconds } from './fields.ts';

describe('a duration', () => {
  it('is read as people write it', () => {
    const all = ['90s', '10m', '1h30m', '2d', '500ms', '1m500ms'].map(toMilliseconds);
    assert.deepEqual(all, [90_000, 600_000, 5_400_000, 172_800_000, 500, 60_500]);
  });

  it('that is none is refused by the schema and by its reader alike', () => {
    for (const wrong of ['', '90', '1.5h', '-1s', '1w', 's', '1h 30m', '1H']) {
      assert.equal(duration().safeParse(wrong).success, false, wrong);
      assert.throws(() => toMilliseconds(wrong), /is no duration; write it like 90s/, wrong);
    }
  });
});

describe('a count or a share', () => {
  it('is a count as it stands, whatever the total', () => {
    assert.deepEqual([allowanceOf('3', 2), allowanceOf('0', 100)], [3, 0]);
  });

  it('is a share rounded down, of which at least one may be had, but for 0 %', () => {
    const of = (share: string, total: number) => allowanceOf(share, total);
    assert.deepEqual([of('2%', 149), of('2%', 150), of('2%', 30), of('0%', 100)], [2, 3, 1, 0]);
    assert.deepEqual([of('0.5%', 1000), of('100%', 7)], [5, 7]);
  });

  it('loses nothing to binary fractions: 29 % of 100 are 29', () => {
    const hundredths = fc.integer({ min: 1, max: 10_000 });
    fc.assert(
      fc.property(hundredths, fc.integer({ min: 1, max: 100_000 }), (share, total) => {
        const written = `${Math.floor(share / 100)}.${String(share % 100).padStart(2, '0')}%`;
        assert.ok(countOrShare().safeParse(written).success);
        const exact = Number((BigInt(share) * BigInt(total)) / 10_000n);
        assert.equal(allowanceOf(written, total), Math.max(1, exact), `${written} of ${total}`);
      }),
    );
    assert.equal(allowanceOf('29%', 100), 29);
  });
});

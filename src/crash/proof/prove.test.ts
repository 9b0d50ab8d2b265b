import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../../platform/clock/random.ts';
import { drawCount, drawPoisson } from '../trend/trials.ts';
import { dispersionOf, prove, rateRatio } from './index.ts';

function near(actual: number | undefined, expected: number, relative = 0.005): void {
  assert.ok(
    actual !== undefined && Math.abs(actual / expected - 1) <= relative,
    `${actual} is not ${expected}`,
  );
}

describe('rate ratio', () => {
  it('agrees with the published example: breast cancer and fluoroscopy', () => {
    // The counts of Rothman's textbook: 41 cases in 28,010 woman-years against 15 in 19,017. The mid-P limits were
    // solved for from the binomial sums in another language.
    const found = rateRatio({ events: 15, exposure: 19_017 }, { events: 41, exposure: 28_010 });
    near(found?.ratio, 1.856);
    near(found?.interval[0], 1.0410752434, 1e-8);
    near(found?.interval[1], 3.4494227605, 1e-8);
    near(found?.p, 0.03545742177, 1e-8);
  });

  it('with equal exposures and none after, mid-P is exactly half of 2 × 2⁻ⁿ', () => {
    near(rateRatio({ events: 6, exposure: 10 }, { events: 0, exposure: 10 })?.p, 2 ** -6, 1e-9);
    assert.equal(rateRatio({ events: 6, exposure: 10 }, { events: 0, exposure: 10 })?.interval[0], 0);
  });

  it('turned round, it is the inverse, and its interval too', () => {
    const observed = fc.record({
      events: fc.integer({ min: 1, max: 400 }),
      exposure: fc.integer({ min: 1, max: 100_000 }),
    });
    fc.assert(
      fc.property(observed, observed, (one, two) => {
        const there = rateRatio(one, two);
        const back = rateRatio(two, one);
        assert.ok(there && back);
        near(there.ratio * back.ratio, 1, 1e-9);
        near(there.interval[0] * back.interval[1], 1, 1e-6);
        assert.ok(Math.abs(there.p - back.p) < 1e-9);
        assert.ok(there.interval[0] <= there.ratio && there.ratio <= there.interval[1]);
      }),
    );
  });

  it('covers the truth as often as it says, and raises no more false alarms', () => {
    const random = seededRandom(7);
    let covered = 0;
    let alarms = 0;
    const runs = 2000;
    for (let run = 0; run < runs; run++) {
      const before = { events: drawPoisson(random, 12), exposure: 12 };
      const after = { events: drawPoisson(random, 8), exposure: 8 };
      const found = rateRatio(before, after);
      if (found && found.interval[0] <= 1 && found.interval[1] >= 1) covered++;
      if (found && found.p < 0.05) alarms++;
    }
    // mid-P is right on average over rates, and one or two in a hundred off at a single one.
    assert.ok(covered / runs > 0.93, `${covered / runs}`);
    assert.ok(alarms / runs < 0.07, `${alarms / runs}`);
  });
});

describe('did the hotfix help', () => {
  it('helped: 40 before, 2 after in as many machine-days', () => {
    const proof = prove({ before: { events: 40, exposure: 90_000 }, after: { events: 2, exposure: 90_000 } });
    assert.equal(proof.verdict, 'helped');
    assert.match(
      proof.because,
      /40 crashes in 90,000 machine-days before, 2 crashes .* the rate is 5 % of what it was \(0\.8\d? % to 1\d %\)/,
    );
  });

  it('none after: says what would still fit, which is three over n', () => {
    const proof = prove({ before: { events: 40, exposure: 90_000 }, after: { events: 0, exposure: 30_000 } });
    assert.equal(proof.verdict, 'helped');
    near(proof.rateAfterMax ?? undefined, -Math.log(0.05) / 30_000, 1e-6);
    assert.match(proof.because, /up to one in 10,014 machine-days would still fit/);
  });

  it('too early: none after in a short time; says how long until the data could tell', () => {
    const proof = prove({
      before: { events: 10, exposure: 100_000 },
      after: { events: 0, exposure: 10_000 },
    });
    assert.equal(proof.verdict, 'too early');
    const needed = proof.exposureNeeded.ended as number;
    // mid-P of none after: ½·share^10 … the exposure at which it is 2.5 %.
    near(0.5 * (100_000 / (100_000 + needed)) ** 10, 0.025, 1e-6);
    assert.match(proof.because, /more machine-days|too few crashes/);
  });

  it('what it says is needed gives a power of 80 %', () => {
    const random = seededRandom(9);
    const before = { events: 60, exposure: 60_000 };
    const needed = prove({ before, after: { events: 0, exposure: 1 } }).exposureNeeded.halved as number;
    let shown = 0;
    for (let run = 0; run < 1000; run++) {
      const after = { events: drawPoisson(random, 0.5 * 0.001 * needed), exposure: needed };
      if (prove({ before, after }).verdict === 'helped') shown++;
    }
    assert.ok(shown > 770 && shown < 850, `${shown}`);
  });

  it('no difference seen yet, when a halving would have shown', () => {
    const proof = prove({
      before: { events: 200, exposure: 100_000 },
      after: { events: 190, exposure: 100_000 },
    });
    assert.equal(proof.verdict, 'no difference seen yet');
  });

  it('worse', () => {
    const proof = prove({ before: { events: 5, exposure: 50_000 }, after: { events: 30, exposure: 50_000 } });
    assert.equal(proof.verdict, 'worse');
  });

  it('the calendar fixed it: machines without the fix fell as much', () => {
    const control = { before: { events: 100, exposure: 100_000 }, after: { events: 20, exposure: 100_000 } };
    const proof = prove({
      before: { events: 100, exposure: 100_000 },
      after: { events: 22, exposure: 100_000 },
      control,
    });
    assert.equal(proof.treated && proof.treated.p < 1e-6, true);
    assert.notEqual(proof.verdict, 'helped');
    assert.match(proof.because, /against machines without the fix, whose rate went to 20 %/);
  });

  it('the fix held against a rising tide: the control group tripled', () => {
    const control = { before: { events: 40, exposure: 100_000 }, after: { events: 120, exposure: 100_000 } };
    const proof = prove({
      before: { events: 40, exposure: 100_000 },
      after: { events: 42, exposure: 100_000 },
      control,
    });
    assert.equal(proof.verdict, 'helped');
    near(proof.effect?.ratio, 0.35, 0.03);
  });

  it('clustering is paid for: what is proof from single events is none from bursts of five', () => {
    const counts = { before: { events: 30, exposure: 50_000 }, after: { events: 12, exposure: 50_000 } };
    assert.equal(prove(counts).verdict, 'helped');
    assert.notEqual(prove({ ...counts, dispersion: 5 }).verdict, 'helped');
    const random = seededRandom(2);
    const cells = Array.from({ length: 400 }, () => ({ events: drawCount(random, 6, 3), exposure: 1 }));
    near(dispersionOf(cells), 3, 0.2);
  });

  it('nothing to compare, and impossible numbers', () => {
    const none = { events: 0, exposure: 0 };
    assert.equal(prove({ before: none, after: none }).verdict, 'too early');
    assert.match(
      prove({ before: { events: 3, exposure: 9 }, after: none }).because,
      /No machine has run with the fix/,
    );
    assert.equal(
      prove({ before: { events: 0, exposure: 9 }, after: { events: 0, exposure: 9 } }).verdict,
      'too early',
    );
    assert.throws(
      () => prove({ before: { events: 3, exposure: 0 }, after: none }),
      /before: 3 events in no exposure/,
    );
    assert.throws(() => prove({ before: { events: -1, exposure: 5 }, after: none }), RangeError);
  });
});

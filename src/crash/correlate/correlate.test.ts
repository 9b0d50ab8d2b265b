import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Answer, correlate, type Question, type When } from './index.ts';
import { type Attributes, type Dice, dice, encoded, matches } from './test-cases.ts';
import { FLEET_COLUMNS, fleet } from './test-sparse.ts';

/** A fleet in which some machines crash more often; `before` and `now` are rates of a machine. */
function story(
  options: {
    seed?: number;
    machines?: number;
    events?: number;
    beforeEvents?: number;
    before?: (machine: Attributes) => number;
    now?: (machine: Attributes) => number;
    shape?: (machine: Attributes, roll: Dice) => Attributes;
  } = {},
): Question & { records: Attributes[] } {
  const {
    seed = 1,
    machines = 8000,
    events = 60,
    beforeEvents,
    before = () => 1,
    now = before,
    shape,
  } = options;
  const roll = dice(seed);
  const records = fleet(roll, machines).map((record) => (shape ? shape(record, roll) : record));
  const names = Object.keys(records[0] as Attributes);
  const total = records.reduce((sum, record) => sum + before(record), 0);
  const draw = (rate: (machine: Attributes) => number, mean: number) =>
    records.flatMap((record) => Array<Attributes>(roll.poisson((rate(record) * mean) / total)).fill(record));
  return {
    records,
    events: encoded(draw(now, events), names),
    population: encoded(records, names),
    ...(beforeEvents !== undefined && {
      beforeEvents: encoded(draw(before, beforeEvents), names),
      beforePopulation: encoded(records, names, new Float64Array(machines).fill(beforeEvents / events)),
    }),
  };
}

const times = (when: When, factor: number) => (machine: Attributes) => (matches(machine, when) ? factor : 1);

const causesOf = ({ explanations }: Answer) => explanations.filter(({ cause }) => cause);

function assertCauses(answer: Answer, ...wanted: When[]): void {
  const found = causesOf(answer);
  const text = JSON.stringify(found.map(({ when, sameAs }) => ({ when, sameAs })));
  assert.equal(found.length, wanted.length, text);
  for (const when of wanted) {
    const isThere = found.some((each) => [each.when, ...each.sameAs].some((name) => same(name, when)));
    assert.ok(isThere, `${JSON.stringify(when)} is not among ${text}`);
  }
}

function same(a: When, b: When): boolean {
  return Object.keys(a).length === Object.keys(b).length && Object.keys(a).every((key) => a[key] === b[key]);
}

describe('one cause', () => {
  test('a bad kernel on one model: both are named, with the numbers', () => {
    const when = { kernel: '4.19.91-1', model: 'm1' };
    const answer = correlate(story({ now: times(when, 25) }));
    assert.equal(answer.verdict, 'explained');
    assertCauses(answer, when);
    const [cause] = causesOf(answer);
    assert.ok(cause && cause.p < 1e-6 && cause.interval[0] > 8 && cause.ratio > 15, JSON.stringify(cause));
    assert.match(
      cause.because,
      /events have .*kernel 4\.19\.91-1.* of the population\. .* were to be expected/,
    );
    assert.match(cause.because, /It takes both: .*with any other model has \d+ for/);
  });

  test('a kernel that is bad on every model is not blamed on one of them', () => {
    assertCauses(correlate(story({ seed: 2, events: 120, now: times({ kernel: '4.19.91-2' }, 8) })), {
      kernel: '4.19.91-2',
    });
  });

  test('a bad room is told as the room, not as its racks nor its zone', () => {
    assertCauses(correlate(story({ seed: 3, events: 100, now: times({ room: 'room5' }, 30) })), {
      room: 'room5',
    });
  });

  test('a bad rack is told as the rack, and not as its room', () => {
    assertCauses(correlate(story({ seed: 4, now: times({ rack: 'rack7' }, 300) })), { rack: 'rack7' });
  });

  test('four attributes, where it takes all four', () => {
    const when = { env: 'env0', kernel: '4.19.91-1', model: 'm0', nic: 'fw0' };
    assertCauses(correlate(story({ seed: 5, now: times(when, 40) })), when);
  });

  test('a value that covers 90 % of the fleet is blamed only when the rest is well', () => {
    const shape = (machine: Attributes, roll: Dice) => ({
      ...machine,
      agent: roll.next() < 0.9 ? 'new' : 'old',
    });
    const options = { seed: 6, events: 150, beforeEvents: 3000, before: () => 1, shape };
    assertCauses(correlate(story({ ...options, now: times({ agent: 'new' }, 4) })), { agent: 'new' });
    assert.equal(correlate(story({ ...options, now: () => 4 })).verdict, 'even');
  });
});

describe('no cause', () => {
  test('a model that was always three times worse explains nothing', () => {
    const worse = times({ model: 'm1' }, 3);
    const answer = correlate(story({ seed: 7, events: 200, beforeEvents: 1000, before: worse }));
    assert.equal(answer.verdict, 'chance');
    assertCauses(answer);
  });

  test('without a before it is named, since nothing says that it was always so', () => {
    const answer = correlate(story({ seed: 7, events: 200, before: times({ model: 'm1' }, 5) }));
    assertCauses(answer, { model: 'm1' });
  });

  test('an even rise has no cause, and the ratio is told', () => {
    const before = times({ model: 'm1' }, 3);
    const answer = correlate(
      story({ seed: 8, events: 150, beforeEvents: 900, before, now: (machine) => 3 * before(machine) }),
    );
    assert.equal(answer.verdict, 'even');
    assertCauses(answer);
    assert.ok(Math.abs(answer.totals.ratio - 3) < 0.5, `${answer.totals.ratio}`);
    assert.match(answer.because, /rose evenly, [23]\.\d+ times/);
  });

  test('chance is called chance, in 59 fleets of 60 at least', () => {
    let named = 0;
    for (let seed = 100; seed < 160; seed++)
      if (correlate(story({ seed, machines: 2000, events: 40 })).verdict !== 'chance') named++;
    assert.ok(named <= 1, `${named}`);
  });

  test('crashes that come in threes and fives on a few machines are chance, where a column names machines', () => {
    for (let seed = 40; seed < 50; seed++) {
      const roll = dice(seed);
      const records = fleet(roll, 3000).map((record, at) => ({ ...record, machine: `host-${at}` }));
      const loops = Array.from({ length: 14 }, () =>
        Array<Attributes>(3 + roll.below(3)).fill(roll.pick(records)),
      );
      const names = [...FLEET_COLUMNS, 'machine'];
      const answer = correlate({ events: encoded(loops.flat(), names), population: encoded(records, names) });
      assertCauses(answer);
      assert.ok(
        answer.notes.some((note) => /Events cluster: their variance is [345]/.test(note)),
        answer.notes.join(),
      );
    }
  });

  test('no events at all', () => {
    const { population } = story();
    const answer = correlate({ events: encoded([], FLEET_COLUMNS), population });
    assert.deepEqual([answer.verdict, answer.explanations.length, answer.totals.events], ['chance', 0, 0]);
    assert.match(answer.because, /no events/);
  });
});

describe('several causes', () => {
  test('two independent ones are both told', () => {
    const now = (machine: Attributes) =>
      times({ room: 'room2' }, 30)(machine) * times({ kernel: '4.19.91-3', nic: 'fw1' }, 20)(machine);
    assertCauses(
      correlate(story({ seed: 9, events: 80, now })),
      { room: 'room2' },
      { kernel: '4.19.91-3', nic: 'fw1' },
    );
  });

  test('two models with one kernel', () => {
    const a = { kernel: '4.19.91-0', model: 'm1' };
    const b = { kernel: '4.19.91-0', model: 'm2' };
    const now = (machine: Attributes) => times(a, 25)(machine) * times(b, 25)(machine);
    assertCauses(correlate(story({ seed: 10, events: 80, now })), a, b);
  });

  test('one machine that crashes 30 times is that machine, and does not hide a bad kernel', () => {
    const shape = (machine: Attributes, roll: Dice) => ({
      ...machine,
      machine: `host-${Math.floor(roll.next() * 1e9)}`,
    });
    const { records, events, population } = story({
      seed: 11,
      now: times({ kernel: '4.19.91-2', model: 'm0' }, 15),
      shape,
    });
    const names = Object.keys(records[0] as Attributes);
    const bad = records[17] as Attributes;
    const drawn = Array.from({ length: events.rows }, (_, row) =>
      Object.fromEntries(
        events.columns.map(({ name, values, codes }) => [name, values[codes[row] as number] as string]),
      ),
    );
    const answer = correlate({
      events: encoded([...drawn, ...Array<Attributes>(30).fill(bad)], names),
      population,
    });
    assertCauses(answer, { machine: bad.machine as string }, { kernel: '4.19.91-2', model: 'm0' });
    const text = causesOf(answer).find(({ when }) => 'machine' in when)?.because ?? '';
    assert.match(text, /One machine crashed again and again/);
  });
});

describe('what cannot be told apart', () => {
  test('a model and the CPU that only it has are one explanation', () => {
    const [cause] = causesOf(correlate(story({ seed: 12, now: times({ model: 'm1' }, 20) })));
    assert.deepEqual(cause?.when, { model: 'm1' });
    assert.deepEqual(cause?.sameAs, [{ cpu: 'cpu1' }]);
    assert.match(cause?.because ?? '', /The same machines are also cpu cpu1/);
  });

  test('a kernel and a firmware that were rolled out to nearly the same machines: ambiguous, and what would tell', () => {
    const shape = (machine: Attributes, roll: Dice) => {
      const isNew = roll.next() < 0.1;
      const firmware = roll.next() < (isNew ? 0.1 : 0.01) ? !isNew : isNew;
      return {
        ...machine,
        kernel: isNew ? 'new' : (machine.kernel as string),
        firmware: firmware ? 'f2' : 'f1',
      };
    };
    const records = story({ seed: 13, shape }).records;
    const both = records.filter((each) => each.kernel === 'new' && each.firmware === 'f2').slice(0, 14);
    const names = Object.keys(records[0] as Attributes);
    const answer = correlate({
      events: encoded([...both, ...records.slice(0, 20)], names),
      population: encoded(records, names),
    });
    assert.equal(answer.verdict, 'ambiguous', JSON.stringify(answer.explanations));
    assert.equal(causesOf(answer).length, 1);
    const rival = answer.explanations.find(({ cause }) => !cause);
    assert.match(rival?.because ?? '', /cannot tell it from .* Machines that have .* but not/);
  });
});

describe('dense tables', () => {
  const roll = dice(21);
  const leaves: Attributes[] = [];
  for (let a = 0; a < 12; a++)
    for (let b = 0; b < 10; b++)
      for (let c = 0; c < 8; c++) leaves.push({ a: `a${a}`, b: `b${b}`, c: `c${c}` });
  const forecast = leaves.map(() => Math.round(30 * Math.exp(1.5 * roll.gauss())));
  const table = (rate: (leaf: Attributes) => number) => ({
    events: encoded(
      leaves,
      ['a', 'b', 'c'],
      leaves.map((leaf, at) => Math.round((forecast[at] as number) * rate(leaf) * (1 + 0.05 * roll.gauss()))),
    ),
    population: encoded(leaves, ['a', 'b', 'c']),
    beforeEvents: encoded(leaves, ['a', 'b', 'c'], forecast),
  });

  test('two elements of one cuboid under 5 % of noise, and a fall elsewhere that is no cause', () => {
    const elements = [
      { a: 'a3', b: 'b1' },
      { a: 'a5', b: 'b2' },
    ];
    const answer = correlate(
      table((leaf) => (elements.some((each) => matches(leaf, each)) ? 1.6 : leaf.c === 'c2' ? 0.5 : 1)),
    );
    assertCauses(answer, ...elements);
    assert.ok(causesOf(answer).every(({ ratio }) => ratio > 1.5 && ratio < 1.7));
  });

  test('noise alone is nothing, though counting statistics would call each cell certain', () => {
    assertCauses(correlate(table(() => 1)));
  });

  test('a rise over all leaves is even', () => {
    const answer = correlate(table(() => 1.4));
    assert.equal(answer.verdict, 'even');
    assertCauses(answer);
  });
});

describe('odd input', () => {
  test('values that the population lacks are told, and never blamed with an infinite ratio', () => {
    const { records, population } = story({ seed: 14 });
    const strange = Array.from({ length: 20 }, (_, at) => ({
      ...(records[at] as Attributes),
      kernel: '6.6.6',
    }));
    const answer = correlate({
      events: encoded([...strange, ...records.slice(0, 30)], FLEET_COLUMNS),
      population,
    });
    assert.ok(
      answer.notes.some((note) => /kernel 6\.6\.6 \(20\)/.test(note)),
      answer.notes.join('\n'),
    );
    for (const { when, ratio } of answer.explanations)
      assert.ok(Number.isFinite(ratio) && when.kernel !== '6.6.6');
  });

  test('no column in common: both lists are named', () => {
    const question = { events: encoded([{ a: 'x' }], ['a']), population: encoded([{ b: 'x' }], ['b']) };
    assert.throws(() => correlate(question), /no attribute column in common; events: a; population: b/);
  });

  test('columns of one value and columns that not all tables have are left out, and told', () => {
    const { events, population } = story({ seed: 15, shape: (machine) => ({ ...machine, company: 'x' }) });
    const answer = correlate({
      events: { ...events, columns: events.columns.filter(({ name }) => name !== 'bios') },
      population,
    });
    assert.ok(answer.notes.some((note) => /one value only: company/.test(note)));
    assert.ok(answer.notes.some((note) => /not all tables have them: bios/.test(note)));
  });

  test('200 columns: most are looked at by themselves, and that is told', () => {
    const shape = (machine: Attributes, roll: Dice) => {
      const more = Object.fromEntries(
        Array.from({ length: 230 }, (_, at) => [`x${at}`, String(roll.below(3))]),
      );
      return { ...machine, ...more };
    };
    const answer = correlate(
      story({ seed: 16, machines: 1000, events: 80, now: times({ x1: '1' }, 12), shape }),
    );
    assertCauses(answer, { x1: '1' });
    assert.ok(answer.notes.some((note) => /by themselves only/.test(note)));
    assert.ok(answer.notes.some((note) => /more than 200 columns/.test(note)));
  });
});

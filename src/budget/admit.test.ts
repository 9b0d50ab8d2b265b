import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { STALENESS_MS_MAX } from '../api/limits.ts';
import { at, budget, machine, NOW, operation } from '../test-builders.ts';
import { admit, lookback_ms, type Question } from './admit.ts';
import { type Stock, takeStock } from './stock.ts';

const MACHINE = machine();
const BRAKED = { reason: 'Braked', message: '9 of 100 machines are in trouble together' };
const STANDBY = { reason: 'NotLeader', message: 'another replica leads' };
const LOCK = { by: 'ana', why: 'memory test' };
const BUSY = operation({ type: 'Evict' }, { admittedAt: at(-60) }, { name: 'other' });

/** A fleet of 100 serving machines of one rack, of which the first is asked about, and its one budget. */
function fleet(spec: Record<string, unknown>, { disrupted = 0, away = 0, ended = 0 } = {}) {
  const machines = [MACHINE, ...Array.from({ length: 99 }, (_, n) => machine({}, { name: `n${n}` }))];
  const status = { admittedAt: at(-60), costsBudget: true };
  const operations = Array.from({ length: disrupted + ended }, (_, n) =>
    operation({ machine: `n${n}` }, { ...status, ...(n >= disrupted && { endedAt: at(-30) }) }),
  );
  const takesPods = (name: string) => name === 'm1' || Number(name.slice(1)) < 99 - away;
  return takeStock([budget({ per: [], minSchedulable: '0%', ...spec })], {
    machines,
    operations,
    takesPods,
    now: NOW,
  });
}

function ask(more: Partial<Question> = {}, spec: Record<string, unknown> = {}) {
  return admit({
    operation: operation(),
    machine: MACHINE,
    takesPods: true,
    other: undefined,
    stocks: fleet(spec),
    notLeader: undefined,
    oldest: { what: 'nodes', age_ms: 1000 },
    braked: undefined,
    now: NOW,
    ...more,
  });
}
const reason = (...args: Parameters<typeof ask>) => ask(...args)?.reason;

describe('the gate', () => {
  it('lets one through that nothing forbids', () => {
    assert.equal(ask(), undefined);
  });

  it('holds rollouts while machines like this one crash as they never did, and nothing else', () => {
    const surge = { reason: 'CrashSurge', message: 'a surge of crashes with model ebmc6' };
    const by = (kind: 'Rollout' | 'Incident') => operation({ reason: { kind, name: 'x' } });
    assert.equal(ask({ surge, operation: by('Rollout') }), surge);
    assert.equal(ask({ surge, operation: by('Incident') }), undefined);
  });

  it('refuses where this replica does not lead', () => {
    assert.equal(ask({ notLeader: STANDBY }), STANDBY);
  });

  it('refuses on data older than 90 s, and names what is old', () => {
    assert.equal(ask({ oldest: { what: 'nodes', age_ms: STALENESS_MS_MAX } }), undefined);
    const why = ask({ oldest: { what: 'nodes', age_ms: STALENESS_MS_MAX + 1000 } });
    assert.deepEqual([why?.reason, why?.evidence], ['StaleData', { what: 'nodes', age: '91 s old' }]);
    const never = ask({ oldest: { what: 'nodes', age_ms: Number.POSITIVE_INFINITY } });
    assert.match(never?.message ?? '', /our data of nodes is not there yet/);
  });

  it('refuses what is not a machine', () => {
    assert.equal(reason({ machine: undefined }), 'NoMachine');
  });

  it('refuses while the machine is locked, and says by whom, why and until when', () => {
    const locked = (until?: string) => machine({ desired: { locked: { ...LOCK, until } } });
    const why = ask({ machine: locked(at(60)) });
    assert.deepEqual([why?.reason, why?.until], ['Locked', at(60)]);
    assert.match(why?.message ?? '', /locked by ana: memory test/);
    assert.equal(reason({ machine: locked() }), 'Locked');
    assert.equal(reason({ machine: locked(at(0)) }), undefined, 'the lock is over');
  });

  it('refuses while another operation acts on the machine', () => {
    const why = ask({ other: BUSY });
    assert.equal(why?.reason, 'MachineBusy');
    assert.match(why?.message ?? '', /Evict other is under way/);
  });

  it('holds what boots while the brake holds, and nothing else', () => {
    assert.equal(ask({ braked: BRAKED }), BRAKED);
    for (const type of ['PowerCycle', 'PowerOn', 'Nmi'])
      assert.equal(reason({ braked: BRAKED, operation: operation({ type }) }), 'Braked', type);
    const restart = operation({ type: 'RestartService', service: 'kubelet' });
    assert.equal(ask({ braked: BRAKED, operation: restart }), undefined);
    assert.equal(ask({ braked: BRAKED, operation: operation({ type: 'Evict' }) }), undefined);
  });

  it('refuses a machine that no budget selects: nothing is done without a limit', () => {
    assert.equal(reason({ stocks: [] }), 'NoBudget');
    assert.equal(reason({}, { selector: { matchLabels: { 'drover.dev/zone': 'z2' } } }), 'NoBudget');
    assert.equal(reason({}, { selector: { matchLabels: { 'drover.dev/zone': 'z1' } } }), undefined);
  });

  it('asks first what can never pass, then what a person set, then the numbers', () => {
    const spec = { stop: { by: 'ana', why: 'fire' }, maxInFlight: '0', maxDisrupted: '0' };
    const all: Partial<Question> = {
      notLeader: STANDBY,
      oldest: { what: 'nodes', age_ms: Number.POSITIVE_INFINITY },
      machine: undefined,
      other: BUSY,
      braked: BRAKED,
    };
    const steps: Partial<Question>[] = [
      {},
      { notLeader: undefined },
      { oldest: { what: 'nodes', age_ms: 0 } },
      { machine: machine({ desired: { locked: LOCK } }) },
      { machine: MACHINE },
      { other: undefined },
    ];
    let question = all;
    const reasons = steps.map((step) => {
      question = { ...question, ...step };
      return reason(question, spec);
    });
    const order = ['NotLeader', 'StaleData', 'NoMachine', 'Locked', 'MachineBusy', 'Stopped'];
    assert.deepEqual(reasons, order);
    assert.equal(reason({ braked: BRAKED }, { ...spec, stop: undefined }), 'Braked');
    assert.equal(reason({}, { ...spec, stop: undefined }), 'TooManyInFlight');
  });
});

describe('force', () => {
  const force = operation({ force: { by: 'ana', why: 'smoke' }, reason: { kind: 'Person', name: 'ana' } });
  const spent = {
    maxDisrupted: '0',
    maxInFlight: '0',
    freezes: [{ from: at(-60), to: at(60), why: 'event' }],
  };

  it('passes budgets, freezes and the brake', () => {
    assert.equal(ask({ operation: force, braked: BRAKED }, spent), undefined);
    assert.equal(ask({ operation: force, stocks: [] }), undefined);
  });

  it('never passes the stop switch', () => {
    assert.equal(reason({ operation: force }, { stop: { by: 'ana', why: 'fire' } }), 'Stopped');
  });

  it('never passes a lock, another operation, old data or a lost lease', () => {
    const locked = machine({ desired: { locked: LOCK } });
    assert.equal(reason({ operation: force, machine: locked }), 'Locked');
    assert.equal(reason({ operation: force, other: BUSY }), 'MachineBusy');
    assert.equal(reason({ operation: force, oldest: { what: 'nodes', age_ms: 100_000 } }), 'StaleData');
    assert.equal(reason({ operation: force, notLeader: STANDBY }), 'NotLeader');
  });
});

describe('a budget', () => {
  it('stops everything by its switch, exempt or not, and says who pulled it', () => {
    const stop = { stop: { by: 'ana', why: 'fire' }, exempt: ['Incident'] };
    assert.match(ask({}, stop)?.message ?? '', /stopped by ana in DisruptionBudget default: fire/);
    const restart = operation({ type: 'RestartService', service: 'kubelet' });
    assert.equal(reason({ operation: restart }, stop), 'Stopped');
  });

  it('has freezes and windows, from which who is named is exempt', () => {
    const freezes = [{ from: at(-60), to: at(60), why: 'event' }];
    const windows = [{ from: '12:00', to: '13:00' }];
    assert.equal(reason({}, { freezes }), 'Frozen');
    assert.equal(reason({}, { windows }), 'OutsideWindow');
    assert.equal(reason({}, { freezes, windows, exempt: ['Incident'] }), undefined);
    assert.equal(reason({}, { freezes, exempt: ['Person'] }), 'Frozen');
  });

  it('does not ask its calendar nor its numbers of what disrupts nothing', () => {
    const restart = operation({ type: 'RestartService', service: 'kubelet' });
    const spec = {
      freezes: [{ from: at(-60), to: at(60), why: 'event' }],
      maxInFlight: '0',
      maxDisrupted: '0',
    };
    assert.equal(ask({ operation: restart }, spec), undefined);
  });

  const numbers: readonly [
    reason: string,
    spec: Record<string, unknown>,
    state: Parameters<typeof fleet>[1],
  ][] = [
    ['TooManyInFlight', { maxInFlight: '2' }, { disrupted: 2 }],
    ['BudgetSpent', { maxDisrupted: '2%' }, { disrupted: 2 }],
    ['TopologySpent', { maxDisrupted: '9', per: [{ key: 'rack', maxDisrupted: '2' }] }, { disrupted: 2 }],
    ['TooFewSchedulable', { minSchedulable: '98%' }, { away: 2 }],
    ['RateSpent', { rate: { count: 2, per: '1h' } }, { ended: 2 }],
  ];
  for (const [expected, spec, state] of numbers)
    it(`says ${expected} at its limit, and lets one through below it`, () => {
      const why = ask({ stocks: fleet(spec, state) });
      assert.equal(why?.reason, expected);
      assert.equal(why?.evidence?.budget, 'default');
      const below = Object.fromEntries(Object.entries(state ?? {}).map(([name, count]) => [name, count - 1]));
      assert.equal(ask({ stocks: fleet(spec, below) }), undefined);
      // A node that is down already loses nothing more; but each act counts as one that is under way.
      const down = ask({ stocks: fleet(spec, state), takesPods: false })?.reason;
      assert.equal(down, expected === 'TooManyInFlight' ? expected : undefined);
    });

  it('lets one machine of a small fleet be worked on, whatever its shares say', () => {
    const stocks = takeStock([budget()], {
      machines: [MACHINE, machine({}, { name: 'n1' })],
      operations: [],
      takesPods: () => true,
      now: NOW,
    });
    assert.equal(ask({ stocks }), undefined);
  });

  it('reads 99.9 % exactly: two of 2,000 may be away', () => {
    const [stock] = fleet({ minSchedulable: '99.9%' });
    const state = (away: number) => [{ ...stock, selected: 2000, schedulable: 2000 - away } as Stock];
    assert.equal(reason({ stocks: state(1) }), undefined);
    assert.equal(reason({ stocks: state(2) }), 'TooFewSchedulable');
  });

  it('counts a machine that stands in no rack against no rack', () => {
    const nowhere = machine({ location: { zone: 'z1' } });
    const stocks = fleet({ per: [{ key: 'rack', maxDisrupted: '0' }] });
    assert.equal(reason({ stocks, machine: nowhere }), undefined);
    assert.equal(reason({ stocks }), 'TopologySpent');
  });

  it('is one of all that select the machine, and the strictest counts', () => {
    const stocks = [...fleet({}), ...fleet({ maxDisrupted: '0' })];
    assert.equal(reason({ stocks }), 'BudgetSpent');
  });
});

it('a rate looks back as far as the longest of all', () => {
  const budgets = [
    budget(),
    budget({ rate: { count: 1, per: '90m' } }),
    budget({ rate: { count: 9, per: '1h' } }),
  ];
  assert.equal(lookback_ms(budgets), 90 * 60_000);
  assert.equal(lookback_ms([budget()]), 0);
});

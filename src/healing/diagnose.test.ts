import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CAUSES, type Cause } from '../api/diagnosis.ts';
import { incidentKind } from '../api/incident.ts';
import { tellsWhy } from '../signals/belief.ts';
import { at, beliefOf, DUMPING, type Looks, NOW, PANICKED, SILENT, WELL } from '../test-builders.ts';
import { diagnose, type Surroundings } from './diagnose.ts';

type Row = [story: string, looks: Looks, cause: Cause, confidence: 'Low' | 'Medium' | 'High'];

const RUNTIME = 'container runtime is down: containerd does not answer';
const NO_CNI = 'container runtime network not ready: critical: cni plugin not initialized';
const NO_KUBELET: Looks = { ...WELL, kubelet: 'Refused' };
const NOT_READY: Looks = { ...WELL, ready: 'False' };
const HUNG: Looks = { ssh: 'Silent', kubelet: 'Silent', ready: 'Unknown', lease: 'Stalled', power: 'On' };
const LIT: Looks = { ...SILENT, power: 'On' };
const DARK: Looks = { ...SILENT, power: 'Off' };

const STORIES: readonly Row[] = [
  ['a panic without a dump', PANICKED, 'Crashed', 'High'],
  ['a panic that writes its dump', DUMPING, 'Dumping', 'High'],
  ['a panic before its lease looks old', { ...PANICKED, lease: 'Moving' }, 'Crashed', 'High'],
  ['a machine that boots by itself', { ...LIT, console: 'Booting' }, 'Crashed', 'Medium'],
  ['a hang: ports open, nothing speaks', HUNG, 'Hung', 'Medium'],
  ['a hang whose console shows why', { ...HUNG, console: 'LockedUp' }, 'Hung', 'High'],
  ['a hang so deep that nothing answers', { ...LIT, console: 'LockedUp' }, 'Hung', 'High'],
  ['a hang, its lease not known yet', { ...HUNG, lease: undefined }, 'Unknown', 'Low'],
  ['a dead kubelet on a healthy host', { ...NO_KUBELET, lease: 'Stalled' }, 'KubeletDown', 'High'],
  ['a dead kubelet, its lease not known yet', NO_KUBELET, 'KubeletDown', 'Medium'],
  ['a kubelet that only listens', { ...WELL, ready: 'Unknown', lease: 'Stalled' }, 'KubeletDown', 'Medium'],
  ['a dead container runtime', { ...NOT_READY, readyMessage: RUNTIME }, 'RuntimeDown', 'High'],
  ['a network plugin that is not there', { ...NOT_READY, readyMessage: NO_CNI }, 'Unknown', 'Low'],
  ['a cut cable, which the console tells', { ...LIT, console: 'LinkDown' }, 'NetworkLost', 'High'],
  ['a switch port that died', { ...LIT, console: 'Running' }, 'NetworkLost', 'Medium'],
  ['power that is off', { ...DARK, console: 'ShutDown' }, 'PoweredOff', 'High'],
  ['power that went off this instant', { ...DARK, lease: 'Moving' }, 'PoweredOff', 'High'],
  ['a panic before patrol came by', { ready: 'Unknown', console: 'Panicked' }, 'Crashed', 'High'],
  ['a lockup before patrol came by', { lease: 'Stalled', power: 'On', console: 'LockedUp' }, 'Hung', 'High'],
  ['a host that has no Node', { ...NO_KUBELET, noNode: true, lease: 'Stalled' }, 'Unknown', 'Low'],
  [
    'words of a kubelet that speaks no more',
    { ...WELL, ready: 'Unknown', readyMessage: RUNTIME },
    'Unknown',
    'Low',
  ],
  ['silence, its lease not known yet', { ...LIT, lease: undefined }, 'Unknown', 'Low'],
  ['silence, its power not known', SILENT, 'Unknown', 'Low'],
  ['silence with power on and a quiet console', { ...LIT, console: 'None' }, 'Unknown', 'Low'],
  // Witnesses that disagree: nothing is done.
  ['silence, while the kubelet renews its lease', { ...LIT, lease: 'Moving' }, 'Unknown', 'Low'],
  ['a dead sshd beside a kubelet that speaks', { ...WELL, ssh: 'Silent', power: 'On' }, 'Unknown', 'Low'],
  ['a closed kubelet port, while its lease moves', { ...NO_KUBELET, lease: 'Moving' }, 'Unknown', 'Low'],
  ['power off, while sshd speaks', { ...WELL, power: 'Off' }, 'Unknown', 'Low'],
  ['power off, while the kubelet speaks', { ...WELL, ssh: 'Timeout', power: 'Off' }, 'Unknown', 'Low'],
  [
    'an old panic, while the kubelet speaks',
    { ...WELL, ssh: 'Refused', console: 'Panicked' },
    'Unknown',
    'Low',
  ],
  ['an old panic, while sshd speaks', { ...NOT_READY, power: 'On', console: 'Panicked' }, 'Unknown', 'Low'],
];

const DOMAIN: Surroundings = { domain: { name: 'rack/z1/r1', lost: 18, total: 20 } };

describe('the cause of', () => {
  for (const [story, looks, cause, confidence] of STORIES)
    it(`${story} is ${cause}, ${confidence}`, () => {
      const verdict = diagnose(beliefOf(looks), {}, NOW);
      assert.deepEqual([verdict.cause, verdict.confidence], [cause, confidence], verdict.message);
    });
});

describe('what is not the machine’s own fault', () => {
  it('is its rack, by name and numbers, when that is out', () => {
    const verdict = diagnose(beliefOf({ ...SILENT, power: 'On', console: 'Running' }), DOMAIN, NOW);
    assert.deepEqual([verdict.cause, verdict.domain], ['DomainOutage', 'rack/z1/r1']);
    assert.match(verdict.message, /18 of 20 machines of rack\/z1\/r1/);
  });

  it('is not its rack, where its own console shows a panic: no switch does that', () => {
    assert.equal(diagnose(beliefOf(PANICKED), DOMAIN, NOW).cause, 'Crashed');
    assert.equal(diagnose(beliefOf(DUMPING), DOMAIN, NOW).cause, 'Dumping');
  });

  it('is not its zone, where the host answers and only its kubelet is dead', () => {
    const zone: Surroundings = { domain: { name: 'zone/z1', lost: 60, total: 100 } };
    assert.equal(diagnose(beliefOf({ ...NO_KUBELET, lease: 'Stalled' }), zone, NOW).cause, 'KubeletDown');
  });

  it('is our own blindness before all else', () => {
    const blind = { ...DOMAIN, blind: 'the API has told us nothing for 120 s', planned: 'Reboot op' };
    const verdict = diagnose(beliefOf(PANICKED), blind, NOW);
    assert.deepEqual([verdict.cause, verdict.message], ['ControlPlaneBlind', blind.blind]);
  });

  it('is a plan, ours or the provider’s', () => {
    assert.equal(diagnose(beliefOf(PANICKED), { planned: 'Reboot op' }, NOW).cause, 'Planned');
  });
});

describe('hardware that fails by its BMC’s log', () => {
  const entry = { id: '1', severity: 'Critical', sensor: 'Memory', message: 'Uncorrectable ECC' } as const;
  const failing = (looks: Looks) => ({
    ...beliefOf(looks),
    hardware: { entries: [entry], since: NOW - 20_000, until: NOW + 60_000 },
  });

  it('is the cause where the machine serves all the same, and is named', () => {
    const { cause, confidence, message } = diagnose(failing(WELL), {}, NOW);
    assert.deepEqual([cause, confidence], ['HardwareFailing', 'Medium']);
    assert.match(message, /Memory: Uncorrectable ECC/);
  });

  it('changes nothing about what else is wrong with it', () => {
    for (const [story, looks] of STORIES) {
      if (looks.ssh === 'Answers' && looks.kubelet === 'Answers') continue;
      const { cause } = diagnose(failing(looks), {}, NOW);
      assert.equal(cause, diagnose(beliefOf(looks), {}, NOW).cause, story);
    }
  });

  it('is none when its time is over', () => {
    assert.equal(diagnose(failing(WELL), {}, NOW + 60_000).cause, 'Unknown');
  });
});

describe('a reboot that nothing explains', () => {
  const rebooted = (looks: Looks, rebootedAt: number, sickSince: number) => ({
    ...beliefOf(looks),
    rebootedAt,
    sickSince,
  });

  it('is the cause of the trouble in which it happened', () => {
    const belief = rebooted({ ...WELL, ready: 'False' }, NOW - 15_000, NOW - 40_000);
    assert.equal(diagnose(belief, {}, NOW).cause, 'Restarted');
  });

  it('is a cause by itself, while it is all that is wrong', () => {
    assert.equal(diagnose(rebooted(WELL, NOW - 10_000, NOW - 10_000), {}, NOW).cause, 'Restarted');
  });

  it('is not the cause of trouble that began a month later', () => {
    const belief = rebooted({ ...WELL, ready: 'False' }, NOW - 30 * 86_400_000, NOW - 40_000);
    assert.equal(diagnose(belief, {}, NOW).cause, 'Unknown');
  });
});

describe('readings', () => {
  it('of power and console that are older than 30 s are no evidence', () => {
    const seen = beliefOf(PANICKED);
    assert.equal(diagnose(seen, {}, NOW + 30_000).cause, 'Crashed');
    assert.equal(diagnose(seen, {}, NOW + 31_000).cause, 'Unknown');
    const off = beliefOf({ ...SILENT, power: 'Off' });
    assert.equal(diagnose(off, {}, NOW + 31_000).cause, 'Unknown');
  });

  it('all stand in the evidence, with their ages', () => {
    const { evidence } = diagnose({ ...beliefOf(PANICKED), rebootedAt: NOW - 9_000 }, {}, NOW);
    assert.deepEqual(evidence, [
      'node: Ready=Unknown for 30 s',
      'ssh: Timeout for 30 s',
      'kubelet port: Timeout for 30 s',
      'lease: Stalled, last seen to move 40 s ago',
      'power: On, read 0 s ago',
      'console: Panicked for 30 s',
      'boot id: changed 9 s ago',
    ]);
  });

  it('fit into an incident, however much a kubelet or a provider has to say', () => {
    const looks = {
      ...WELL,
      ready: 'False',
      readyMessage: RUNTIME.repeat(60),
      maintenance: 'swap '.repeat(99),
    } as const;
    for (const around of [{}, { planned: `the provider is at work on it: ${'x'.repeat(2000)}` }]) {
      const diagnosis = { ...diagnose(beliefOf(looks), around, NOW), at: at(0) };
      assert.equal(incidentKind.status.safeParse({ diagnosis }).error, undefined);
    }
  });
});

describe('a rule of the site’s own', () => {
  const rule = {
    policy: 'default',
    name: 'disk',
    when: 'node.conditions["Disk"] == "True"',
    for_ms: 0,
    cause: 'KubeletDown',
    holds: () => true,
  } as const;
  const causeOf = (looks: Looks) => {
    const rules = { rules: [rule], ruleSince: new Map([['disk', NOW - 9_000]]) };
    return diagnose({ ...beliefOf(looks), ...rules }, {}, NOW).cause;
  };

  it('names the cause where our own witnesses name none', () => {
    assert.deepEqual([causeOf(NOT_READY), causeOf({ ...LIT, console: 'None' })], [rule.cause, rule.cause]);
  });

  it('says nothing where they know it, or contradict each other', () => {
    assert.deepEqual([causeOf(PANICKED), causeOf({ ...LIT, lease: 'Moving' })], ['Crashed', 'Unknown']);
  });
});

const answer = fc.constantFrom('Answers', 'Silent', 'Refused', 'Timeout', undefined);
const looksOf = fc.record({
  ssh: answer,
  kubelet: answer,
  ready: fc.constantFrom('True', 'False', 'Unknown', undefined),
  readyMessage: fc.constantFrom('', RUNTIME),
  lease: fc.constantFrom('Moving', 'Stalled', undefined),
  power: fc.constantFrom('On', 'Off', 'Unknown', undefined),
  console: fc.constantFrom(
    'None',
    'Running',
    'Booting',
    'Panicked',
    'Dumping',
    'LinkDown',
    'LockedUp',
    'ShutDown',
    undefined,
  ),
}) as fc.Arbitrary<Looks>;
/** Their ladders begin with what ends a boot or touches the power. */
const BOOTED: readonly Cause[] = ['Crashed', 'Dumping', 'Hung', 'PoweredOff'];
const NOT_THE_MACHINE: readonly Cause[] = ['ControlPlaneBlind', 'Planned', 'DomainOutage'];

describe('whatever the witnesses say', () => {
  const check = (predicate: (looks: Looks) => void) =>
    fc.assert(fc.property(looksOf, predicate), { numRuns: 3000 });

  it('there is a verdict, with words that fit its record', () => {
    check((looks) => {
      const { cause, message } = diagnose(beliefOf(looks), {}, NOW);
      assert.ok(cause in CAUSES && message.length > 0);
    });
  });

  it('one vantage point alone never has a machine rebooted', () => {
    const vantages: readonly (readonly (keyof Looks)[])[] = [
      ['ssh', 'kubelet'],
      ['ready', 'readyMessage', 'lease'],
      ['power', 'console'],
    ];
    check((looks) => {
      for (const names of vantages) {
        const alone: Looks = Object.fromEntries(names.map((name) => [name, looks[name]]));
        const { cause } = diagnose(beliefOf(alone), {}, NOW);
        assert.ok(!BOOTED.includes(cause), `${JSON.stringify(alone)} alone gives ${cause}`);
      }
    });
  });

  it('a machine that speaks on a port is never rebooted for being dead', () => {
    check((looks) => {
      if (looks.ssh !== 'Answers' && looks.kubelet !== 'Answers') return;
      assert.ok(!BOOTED.includes(diagnose(beliefOf(looks), {}, NOW).cause));
    });
  });

  it('it is never the machine while we are blind, nor where its domain is out and it does not answer', () => {
    check((looks) => {
      assert.equal(diagnose(beliefOf(looks), { ...DOMAIN, blind: 'blind' }, NOW).cause, 'ControlPlaneBlind');
      if (looks.ssh === 'Answers' || tellsWhy(beliefOf(looks))) return;
      assert.ok(NOT_THE_MACHINE.includes(diagnose(beliefOf(looks), DOMAIN, NOW).cause));
    });
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { budget } from '../test-builders.ts';
import { frozen, isTimeZone, outsideWindows } from './calendar.ts';

const windows = (...list: Record<string, unknown>[]) => budget({ windows: list });
/** Whether disruption is allowed at a moment, by the windows alone. */
const isOpen = (of: ReturnType<typeof budget>, when: string) =>
  outsideWindows(of, Date.parse(when)) === undefined;

describe('a window', () => {
  it('that is not there is always open', () => {
    assert.ok(isOpen(budget(), '2026-01-02T03:00:00Z'));
  });

  it('is open from its first minute until before its last', () => {
    const night = windows({ from: '01:00', to: '05:00' });
    const open = ['00:59:59', '01:00:00', '04:59:59', '05:00:00'].map((time) =>
      isOpen(night, `2026-01-02T${time}Z`),
    );
    assert.deepEqual(open, [false, true, true, false]);
  });

  it('knows minutes, and is the whole day where it ends when it begins', () => {
    const short = windows({ from: '01:30', to: '02:15' });
    const open = ['01:29', '01:30', '02:14', '02:15'].map((time) => isOpen(short, `2026-01-02T${time}:00Z`));
    assert.deepEqual(open, [false, true, true, false]);
    const whole = windows({ days: ['Fri'], from: '00:00', to: '00:00' });
    assert.deepEqual(
      ['2026-01-02T00:00:00Z', '2026-01-02T23:59:00Z', '2026-01-03T00:00:00Z'].map((when) =>
        isOpen(whole, when),
      ),
      [true, true, false],
    );
  });

  it('on certain days is closed on all others', () => {
    // 2026-01-02 is a Friday.
    const weekend = windows({ days: ['Sat', 'Sun'], from: '00:00', to: '23:59' });
    const days = ['02', '03', '04', '05'].map((day) => isOpen(weekend, `2026-01-${day}T12:00:00Z`));
    assert.deepEqual(days, [false, true, true, false]);
  });

  it('over midnight belongs to the day on which it begins', () => {
    const friday = windows({ days: ['Fri'], from: '22:00', to: '04:00' });
    assert.ok(!isOpen(friday, '2026-01-02T03:00:00Z'), 'Friday morning belongs to Thursday');
    assert.ok(isOpen(friday, '2026-01-02T22:00:00Z'));
    assert.ok(isOpen(friday, '2026-01-03T03:59:00Z'), 'Saturday morning belongs to Friday');
    assert.ok(!isOpen(friday, '2026-01-03T04:00:00Z'));
    assert.ok(!isOpen(friday, '2026-01-03T22:00:00Z'));
  });

  it('over midnight from Saturday reaches into Sunday, the first day of the week or the last', () => {
    const saturday = windows({ days: ['Sat'], from: '23:00', to: '01:00' });
    assert.ok(isOpen(saturday, '2026-01-04T00:30:00Z'));
    assert.ok(!isOpen(saturday, '2026-01-03T00:30:00Z'));
  });

  it('is one of several', () => {
    const both = windows({ from: '01:00', to: '02:00' }, { from: '13:00', to: '14:00' });
    assert.deepEqual(
      ['01:30', '12:30', '13:30'].map((time) => isOpen(both, `2026-01-02T${time}:00Z`)),
      [true, false, true],
    );
  });

  it('says where it is open, when it is not', () => {
    const why = outsideWindows(
      windows({ days: ['Mon', 'Tue'], from: '01:00', to: '05:00', timeZone: 'Asia/Shanghai' }),
      Date.parse('2026-01-02T12:00:00Z'),
    );
    assert.equal(why?.reason, 'OutsideWindow');
    assert.match(why?.message ?? '', /budget default .* Mon,Tue 01:00-05:00 Asia\/Shanghai/i);
  });
});

describe('a time zone', () => {
  it('is that of the people: two in the morning in Shanghai is 18:00 UTC of the day before', () => {
    const night = windows({ days: ['Sat'], from: '02:00', to: '05:00', timeZone: 'Asia/Shanghai' });
    assert.ok(isOpen(night, '2026-01-02T18:00:00Z'), 'Saturday there, Friday in UTC');
    assert.ok(!isOpen(night, '2026-01-03T18:00:00Z'), 'Sunday there');
    assert.ok(!isOpen(night, '2026-01-03T02:00:00Z'));
  });

  it('moves with daylight saving: one in the morning in New York', () => {
    const night = windows({ from: '01:00', to: '02:00', timeZone: 'America/New_York' });
    assert.ok(isOpen(night, '2026-01-15T06:30:00Z'), 'winter: UTC-5');
    assert.ok(!isOpen(night, '2026-01-15T05:30:00Z'));
    assert.ok(isOpen(night, '2026-07-15T05:30:00Z'), 'summer: UTC-4');
    assert.ok(!isOpen(night, '2026-07-15T06:30:00Z'));
  });

  it('has an hour that does not exist in spring, and one that comes twice in autumn', () => {
    const gap = windows({ from: '02:00', to: '03:00', timeZone: 'America/New_York' });
    const march = Array.from({ length: 48 }, (_, n) => Date.parse('2026-03-08T00:00:00Z') + n * 1_800_000);
    assert.ok(march.every((now) => outsideWindows(gap, now) !== undefined));
    const twice = windows({ from: '01:00', to: '02:00', timeZone: 'America/New_York' });
    const open = ['05:30', '06:30', '07:30'].map((time) => isOpen(twice, `2026-11-01T${time}:00Z`));
    assert.deepEqual(open, [true, true, false]);
  });

  it('that nobody knows keeps its window closed, and stops neither the others nor the gate', () => {
    const wrong = { from: '00:00', to: '23:59', timeZone: 'Mars/Olympus' };
    const why = outsideWindows(windows(wrong), Date.parse('2026-01-02T12:00:00Z'));
    assert.equal(why?.reason, 'OutsideWindow');
    assert.match(why?.message ?? '', /Mars\/Olympus/);
    assert.ok(isOpen(windows(wrong, { from: '12:00', to: '13:00' }), '2026-01-02T12:30:00Z'));
    assert.deepEqual(['UTC', 'Asia/Shanghai', 'Mars/Olympus'].map(isTimeZone), [true, true, false]);
  });
});

describe('a freeze', () => {
  const event = budget({
    freezes: [
      { from: '2026-11-10T00:00:00+08:00', to: '2026-11-12T00:00:00+08:00', why: 'Double 11' },
      { from: '2027-01-01T00:00:00Z', to: '2027-01-02T00:00:00Z', why: 'new year' },
    ],
  });

  it('holds from its first moment until before its last, by the offset that it names', () => {
    const held = [
      '2026-11-09T15:59:59Z',
      '2026-11-09T16:00:00Z',
      '2026-11-11T15:59:59Z',
      '2026-11-11T16:00:00Z',
    ];
    assert.deepEqual(
      held.map((when) => frozen(event, Date.parse(when)) !== undefined),
      [false, true, true, false],
    );
  });

  it('says why, and until when', () => {
    const why = frozen(event, Date.parse('2026-11-11T00:00:00Z'));
    assert.deepEqual([why?.reason, why?.until], ['Frozen', '2026-11-12T00:00:00+08:00']);
    assert.match(why?.message ?? '', /Double 11$/);
  });
});

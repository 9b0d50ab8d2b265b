import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LogEntry } from '../platform/providers/provider.ts';
import { type LogMark, newsIn } from './log-mark.ts';

const entry = (id: string, message: string, more: Partial<LogEntry> = {}): LogEntry => ({
  id,
  at: `2026-01-02T03:04:0${Number(id) % 10}.000Z`,
  severity: 'Critical',
  sensor: 'Memory',
  message,
  ...more,
});

/** What is new in each log of a row of readings. */
function readings(...logs: LogEntry[][]): string[][] {
  let mark: LogMark | undefined;
  return logs.map((log) => {
    const read = newsIn(mark, log);
    mark = read.mark;
    return read.news.map(({ message }) => message);
  });
}

const full = [entry('1', 'a'), entry('2', 'b'), entry('3', 'c')];
const moved = (log: LogEntry[], at: string) => log.map((each) => ({ ...each, at }));

describe('what is new in a log', () => {
  it('is nothing at the first reading, then each entry once, in whatever order it comes', () => {
    const more = [...full, entry('4', 'd')];
    assert.deepEqual(readings(full, full, more, more.toReversed()), [[], [], ['d'], []]);
  });

  it('is what stands there after it was cleared, with ids that begin anew', () => {
    const cleared = [entry('1', 'log area cleared', { severity: 'OK' }), entry('2', 'x')];
    assert.deepEqual(readings(full, cleared, [], [entry('1', 'a')]), [
      [],
      ['log area cleared', 'x'],
      [],
      ['a'],
    ]);
  });

  it('is the same words under the same id after a clearing, by their time', () => {
    assert.deepEqual(readings(full, [entry('1', 'a', { at: '2026-01-02T04:00:00.000Z' })]), [[], ['a']]);
  });

  it('is what took the place of another where it has wrapped, though it says the same', () => {
    const wrapped = [entry('1', 'a', { at: '2026-01-02T04:00:00.000Z' }), full[1], full[2]] as LogEntry[];
    assert.deepEqual(readings(full, wrapped, wrapped), [[], ['a'], []]);
  });

  it('is nothing where only the clock was set, or has no time any more', () => {
    const without = full.map(({ at: _, ...rest }) => rest);
    assert.deepEqual(readings(full, moved(full, '1999-01-01T00:00:00.000Z'), without, full), [
      [],
      [],
      [],
      [],
    ]);
  });

  it('is only what is new where it was written while the clock was set', () => {
    const later = [...moved(full, '2031-01-01T00:00:00.000Z'), entry('4', 'd')];
    assert.deepEqual(readings(full, later), [[], ['d']]);
  });

  it('is an entry that is told to be resolved', () => {
    assert.deepEqual(readings(full, [full[0], full[1], entry('3', 'c | Resolved')] as LogEntry[]), [
      [],
      ['c | Resolved'],
    ]);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readTable } from '../../platform/tables.ts';
import { rowsOf, type SeriesOptions, seriesOf } from './series.ts';

async function read(text: string, options: SeriesOptions = {}) {
  const table = await readTable(
    (async function* () {
      yield new TextEncoder().encode(text);
    })(),
    'series.csv',
  );
  return seriesOf(rowsOf(table, options), options);
}

const counts = (series: { points: { count: number }[] }) => series.points.map(({ count }) => count);

describe('a series from a table', () => {
  it('days, hours, and CSV or JSON lines are told apart', async () => {
    assert.equal((await read('date,count\n2026-01-02,3\n')).step, 'day');
    assert.equal((await read('date,count\n2026-01-02T00:00:00Z,3\n2026-01-03T00:00:00Z,1\n')).step, 'day');
    const hours = await read('date,count\n2026-01-02T03:00:00Z,3\n2026-01-02 04:00,1\n2026-01-02T05,1\n');
    assert.equal(hours.step, 'hour');
    assert.deepEqual(
      counts(await read('{"date":"2026-01-02","count":3}\n{"date":"2026-01-03","count":4}\n')),
      [3, 4],
    );
  });

  it('rows out of order are sorted, and rows of one day are added up with their exposure: both are told', async () => {
    const series = await read('date,count,exposure\n2026-01-03,1,10\n2026-01-02,2,20\n2026-01-03,4,30\n');
    assert.deepEqual(counts(series), [2, 5]);
    assert.deepEqual(
      series.points.map(({ exposure }) => exposure),
      [20, 40],
    );
    assert.deepEqual(series.notes, [
      'the rows were not in order of time: sorted',
      '1 day came more than once: their counts and exposures were added up',
    ]);
  });

  it('a missing day is unknown, or 0 when the caller says so; a list that leaves out empty days is suspected', async () => {
    const text = 'date,count\n2026-01-02,3\n2026-01-05,1\n';
    const unknown = await read(text);
    assert.deepEqual(counts(unknown), [3, 1]);
    assert.match(unknown.notes.join(), /2 days missing: taken as not known, not as 0.*--missing zero/);
    const zero = await read(text, { missing: 'zero' });
    assert.deepEqual(
      zero.points.map(({ date, count }) => [date, count]),
      [
        ['2026-01-02', 3],
        ['2026-01-03', 0],
        ['2026-01-04', 0],
        ['2026-01-05', 1],
      ],
    );
  });

  it('times are ordered by the moment; weekday and hour are taken from the clock they were written by', async () => {
    // The hour that comes twice when summer time ends is two hours.
    const series = await read('date,count\n2026-10-25T02:00:00+02:00,1\n2026-10-25T02:00:00+01:00,2\n');
    assert.deepEqual(counts(series), [1, 2]);
    const [first, second] = series.points;
    assert.equal((second?.at ?? 0) - (first?.at ?? 0), 3_600_000);
    assert.equal(first?.local, second?.local);
  });

  it('any other column can be the exposure, and one that is not there is named with those that are', async () => {
    const { points } = await read('date,count,machines\n2026-01-02,3,500\n', { exposure: 'machines' });
    assert.equal(points[0]?.exposure, 500);
    await assert.rejects(read('date,count\n2026-01-02,3\n', { exposure: 'machines' }), {
      message: 'series.csv: there is no column "machines"; there are: date, count',
    });
  });

  it('events without an exposure are not judged, and that is said', async () => {
    const { notes } = await read('date,count,exposure\n2026-01-02,3,0\n2026-01-03,0,0\n');
    assert.deepEqual(notes, ['1 day with events but no exposure: not judged']);
  });

  for (const [what, text, message] of [
    [
      'a fraction',
      'date,count\n2026-01-02,2\n2026-01-03,2.5\n',
      'series.csv, line 3, column "count": "2.5" is no whole number; give a whole number of events, 0 or more',
    ],
    [
      'a negative count',
      'date,count\n2026-01-02,-1\n',
      'series.csv, line 2, column "count": "-1" is negative; give a whole number of events, 0 or more',
    ],
    [
      'no count',
      'date,count\n2026-01-02,\n',
      'series.csv, line 2, column "count": there is none; give a whole number of events, 0 or more',
    ],
    [
      'words',
      'date,count\n2026-01-02,many\n',
      'series.csv, line 2, column "count": "many" is no number; give a whole number of events, 0 or more',
    ],
    [
      'another date',
      'date,count\n02.01.2026,1\n',
      'series.csv, line 2, column "date": "02.01.2026" is no date; write it as 2026-01-02 or 2026-01-02T03:00:00Z',
    ],
    [
      '30 February',
      'date,count\n2026-02-30,1\n',
      'series.csv, line 2, column "date": "2026-02-30" is not in the calendar; write it as 2026-01-02 or 2026-01-02T03:00:00Z',
    ],
    [
      'minutes',
      'date,count\n2026-01-02T03:15:00Z,1\n',
      'series.csv, line 2, column "date": "2026-01-02T03:15:00Z" is neither a day nor a full hour; count the events by day or by hour first',
    ],
    [
      'a negative exposure',
      'date,count,exposure\n2026-01-02,1,-5\n',
      'series.csv, line 2, column "exposure": "-5" is negative; give a number such as machine-days, 0 or more',
    ],
    ['no rows', 'date,count\n', 'the series has no rows: give at least a header and one row'],
    [
      'a gap of centuries',
      'date,count\n1900-01-02,1\n9999-01-02T01:00:00Z,1\n',
      /at most 10000000 are filled with 0; look for a wrong year/,
    ],
  ] as const) {
    it(`${what} is an error that says where, what and what instead`, async () => {
      await assert.rejects(read(text, { missing: 'zero' }), { name: 'SeriesError', message });
    });
  }
});

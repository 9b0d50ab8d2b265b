import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { columnOf, numbersOf, readTable, type Table } from './tables.ts';

async function* chunks(text: string, size = 7) {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const read = (text: string, size?: number) => readTable(chunks(text, size), 'file.csv');

function rowsOf(table: Table): Record<string, string>[] {
  return Array.from({ length: table.rows }, (_, row) =>
    Object.fromEntries(
      table.columns.map(({ name, values, codes }) => [name, values[codes[row] as number] as string]),
    ),
  );
}

test('CSV with a BOM, CRLF, quotes, line breaks in quotes and no last line break', async () => {
  const table = await read('\ufeffmodel,"kernel, os",note\r\na,"4.19 ""x""",\r\n\r\nb,"two\nlines",é');
  assert.deepEqual(rowsOf(table), [
    { model: 'a', 'kernel, os': '4.19 "x"', note: '' },
    { model: 'b', 'kernel, os': 'two\nlines', note: 'é' },
  ]);
  assert.deepEqual([table.lineOf(0), table.lineOf(1)], [2, 4]);
});

test('a header without commas may be separated by tabs or semicolons', async () => {
  assert.deepEqual(rowsOf(await read('a\tb\n1\t2,5\n')), [{ a: '1', b: '2,5' }]);
  assert.deepEqual(rowsOf(await read('a;b\n1;2\n')), [{ a: '1', b: '2' }]);
});

test('JSON lines: keys may be missing or come late, null is nothing', async () => {
  const table = await read('{"a":"x","n":1.5}\n\n{"n":2,"b":true,"a":null}\n{"c":"é"}');
  assert.deepEqual(rowsOf(table), [
    { a: 'x', n: '1.5', b: '', c: '' },
    { a: '', n: '2', b: 'true', c: '' },
    { a: '', n: '', b: '', c: 'é' },
  ]);
});

test('an empty source and a header alone are tables without rows', async () => {
  assert.equal((await read('')).rows, 0);
  assert.deepEqual(
    (await read('a,b')).columns.map(({ name }) => name),
    ['a', 'b'],
  );
  assert.equal((await read('a,b\n')).rows, 0);
});

for (const [what, text, message] of [
  ['a row too short', 'a,b\n1,2\n3\n', /file\.csv, line 3: has 1 field, the header has 2/],
  ['a row too long', 'a,b\n1,2,3\n', /line 2: has 3 fields, the header has 2/],
  ['a quote that is not closed', 'a,b\n1,"2\n', /line 2: field 2: a quote is not closed/],
  ['text behind a quote', 'a,b\n1,"2"3\n', /line 2: field 2: there is text behind the closing quote/],
  ['two columns of one name', 'a,a\n', /line 1: there are two columns "a"/],
  ['a broken JSON line', '{"a":1}\n{"a":\n', /line 2: is no JSON: \{"a":/],
  ['JSON that nests', '{"a":{"b":1}}\n', /line 1: "a" is a list or an object/],
  ['a JSON array', '[{"a":1}]', /is a JSON array/],
  ['a compressed file', '\u001f\u008b', /./],
] as const) {
  test(`${what} is an error that says where`, async () => {
    if (what === 'a compressed file') {
      const source = (async function* () {
        yield new Uint8Array([0x1f, 0x8b, 8, 0, 0]);
      })();
      await assert.rejects(readTable(source, 'x.gz'), /x\.gz: is compressed/);
    } else await assert.rejects(read(text), { name: 'TableError', message });
  });
}

test('numbers name file, line and column of what is none', async () => {
  const table = await read('a,count\nx,1\ny,-2\nz,many\n');
  const column = columnOf(table, 'count');
  assert.ok(column);
  assert.throws(() => numbersOf(table, column), /file\.csv, line 4, column "count": "many" is no number/);
  assert.throws(() => numbersOf(table, column, 0), /line 3, column "count": "-2" must be at least 0/);
  assert.deepEqual(
    [...numbersOf(await read('n\n1\n2.5e3\n'), (await read('n\n1\n2.5e3\n')).columns[0] as never)],
    [1, 2500],
  );
});

test('any values come back from CSV and from JSON lines, however the bytes are cut', async () => {
  const cell = fc.string({ unit: fc.constantFrom('a', 'b', ',', '"', '\n', '\r', ';', 'é', ' ', '😀') });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(cell, cell), { maxLength: 12 }),
      fc.integer({ min: 1, max: 40 }),
      async (rows, size) => {
        const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
        const csv = `k,v\n${rows.map(([k, v]) => `${quoted(k)},${quoted(v)}\n`).join('')}`;
        const wanted = rows.map(([k, v]) => ({ k, v }));
        assert.deepEqual(rowsOf(await read(csv, size)), wanted);
        const json = wanted.map((row) => JSON.stringify(row)).join('\n');
        assert.deepEqual(rowsOf(await read(json, size)), wanted);
      },
    ),
  );
});

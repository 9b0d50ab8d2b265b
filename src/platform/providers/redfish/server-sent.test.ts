import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EVENT_LENGTH_MAX, serverSent } from './server-sent.ts';

async function read(...chunks: (string | Uint8Array)[]): Promise<string[]> {
  const encoder = new TextEncoder();
  const data: string[] = [];
  const bytes = (async function* () {
    for (const chunk of chunks) yield typeof chunk === 'string' ? encoder.encode(chunk) : chunk;
  })();
  for await (const each of serverSent(bytes)) data.push(each);
  return data;
}

describe('server-sent events', () => {
  it('are read however they are cut, with any end of line', async () => {
    const text =
      ': hello\nid: 1\ndata: {"a":\ndata: 1}\n\nevent: x\r\ndata:two\r\n\r\ndata\rdata: three\r\r: end\n';
    const whole = ['{"a":\n1}', 'two', '\nthree'];
    assert.deepEqual(await read(text), whole);
    assert.deepEqual(await read(...text), whole);
  });

  it('in any language survive a cut in the middle of a letter', async () => {
    const bytes = new TextEncoder().encode('data: 内存错误\n\n');
    for (let at = 1; at < bytes.length; at++)
      assert.deepEqual(await read(bytes.slice(0, at), bytes.slice(at)), ['内存错误']);
  });

  it('without data are none, nor is one that is cut off', async () => {
    assert.deepEqual(await read(': awake\n\n', 'id: 7\n\n', 'data: half\n'), []);
  });

  it('without an end break the stream, in one line or in many', async () => {
    const long = 'x'.repeat(EVENT_LENGTH_MAX / 4);
    await assert.rejects(read(`data: ${long}`, long, long, long, long), /longer than/);
    await assert.rejects(read(...Array.from({ length: 6 }, () => `data: ${long}\n`)), /longer than/);
  });
});

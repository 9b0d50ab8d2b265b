import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { describe, it } from 'node:test';
import { systemClock } from '../../platform/clock/system.ts';
import { explainLog } from '../kernel-log/explain.ts';
import { NetconsoleRings, RING_BYTES_MAX, RINGS_MAX, serveNetconsole } from './netconsole.ts';

const send = (rings: NetconsoleRings, text: string, address = '10.0.0.1') =>
  rings.take(address, Buffer.from(text));

describe('netconsole', () => {
  it('keeps basic messages as they are', () => {
    const rings = new NetconsoleRings();
    send(rings, '[  100.000001] Kernel panic - not syncing: x\n');
    assert.deepEqual(rings.linesOf('10.0.0.1'), ['[  100.000001] Kernel panic - not syncing: x']);
  });
  it('gives extended messages their time and caller', () => {
    const rings = new NetconsoleRings();
    send(rings, '4,416,1758426,-,caller=T12;BUG: soft lockup\n SUBSYSTEM=net\n');
    assert.deepEqual(rings.linesOf('10.0.0.1'), ['[    1.758426][   T12] BUG: soft lockup']);
  });
  it('joins the parts of a long message', () => {
    const rings = new NetconsoleRings();
    send(rings, '6,417,1758427,-,ncfrag=0/10;hello');
    assert.deepEqual(rings.linesOf('10.0.0.1'), []);
    send(rings, '6,417,1758427,-,ncfrag=5/10;world');
    assert.deepEqual(rings.linesOf('10.0.0.1'), ['[    1.758427] helloworld']);
  });
  it('keeps what is left of a message whose first part was lost', () => {
    const rings = new NetconsoleRings();
    send(rings, '6,417,1758427,-,ncfrag=5/10;world');
    assert.deepEqual(rings.linesOf('10.0.0.1'), ['[    1.758427] world']);
  });
  it('keeps the last words of a machine, not all of them', () => {
    const rings = new NetconsoleRings();
    for (let at = 0; at < 1000; at++) send(rings, `${at} ${'x'.repeat(900)}`);
    const lines = rings.linesOf('10.0.0.1');
    assert.ok(rings.bytes <= RING_BYTES_MAX);
    assert.ok(lines.at(-1)?.startsWith('999 '));
  });
  it('lets those that have been silent for longest make room', () => {
    const rings = new NetconsoleRings();
    for (let at = 0; at <= RINGS_MAX; at++) send(rings, 'x', `a${at}`);
    assert.deepEqual([rings.linesOf('a0').length, rings.linesOf(`a${RINGS_MAX}`).length], [0, 1]);
  });
  it('does not listen to strangers', () => {
    const rings = new NetconsoleRings((address) => address === '10.0.0.1');
    send(rings, 'x', '10.9.9.9');
    assert.deepEqual([rings.linesOf('10.9.9.9').length, rings.dropped], [0, 1]);
  });
  it('is received over UDP, and read as any log', async () => {
    const rings = new NetconsoleRings();
    const server = await serveNetconsole(rings, { host: '127.0.0.1', port: 0 });
    const socket = createSocket('udp4');
    const lines = [
      '1,1,100000001,-,caller=T7;BUG: kernel NULL pointer dereference, address: 0000000000000008',
      '1,2,100000002,-,caller=T7;RIP: 0010:nvme_queue_rq+0x52/0x1a0 [nvme]',
      '1,3,100000003,-,caller=T7;Call Trace:',
      '1,4,100000004,-,caller=T7; blk_mq_dispatch_rq_list+0x1d0/0x8d0',
    ];
    for (const line of lines)
      await new Promise((done) => socket.send(`${line}\n`, server.port, '127.0.0.1', done));
    for (let tries = 0; rings.received < lines.length && tries < 250; tries++) await systemClock.sleep(20);
    socket.close();
    await server.close();
    const { title } = explainLog(Buffer.from(rings.linesOf('127.0.0.1').join('\n')));
    assert.equal(title, 'BUG: unable to handle kernel NULL pointer dereference in nvme_queue_rq');
  });
});

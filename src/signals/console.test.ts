import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CONSOLE_LINES } from '../test-builders.ts';
import type { ConsoleSign } from './belief.ts';
import { consoleSign } from './console.ts';

const SIGNS = Object.keys(CONSOLE_LINES) as ConsoleSign[];
const TELLING = SIGNS.filter((sign) => sign !== 'None');

describe('what a console says', () => {
  for (const sign of SIGNS)
    it(`${sign}: ${CONSOLE_LINES[sign]}`, () => {
      assert.equal(consoleSign(['login:', CONSOLE_LINES[sign]]), sign === 'None' ? 'Running' : sign);
    });

  it('a panic that is followed by the dump is a dump, and by the next boot a boot', () => {
    const story = [CONSOLE_LINES.Panicked, 'Starting crashdump kernel...', 'kdump: saving to /var/crash'];
    assert.equal(consoleSign(story), 'Dumping');
    assert.equal(consoleSign([...story, 'kdump: done', 'reboot: Restarting system']), 'Booting');
    assert.equal(consoleSign([...story, 'Linux version 6.6', 'm1 login:']), 'Running');
  });

  it('a panic that names a lockup is a panic', () => {
    assert.equal(consoleSign(['Kernel panic - not syncing: hard LOCKUP']), 'Panicked');
  });

  it('nothing, where there is nothing', () => {
    assert.equal(consoleSign([]), 'None');
  });

  it('never throws, and is always one of the signs, whatever the lines', () => {
    const lines = fc.array(
      fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom(...Object.values(CONSOLE_LINES))),
    );
    fc.assert(fc.property(lines, (found) => SIGNS.includes(consoleSign(found))));
  });

  it('the newest telling line wins, whatever stands before it and whatever chatter after', () => {
    const chatter = fc.array(fc.constantFrom(CONSOLE_LINES.None, '', 'usb 1-1: new device'));
    const before = fc.array(fc.constantFrom(...Object.values(CONSOLE_LINES)));
    fc.assert(
      fc.property(before, fc.constantFrom(...TELLING), chatter, (old, sign, after) => {
        assert.equal(consoleSign([...old, CONSOLE_LINES[sign], ...after]), sign);
      }),
    );
  });
});

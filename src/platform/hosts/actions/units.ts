// Units of systemd: restarting one of a closed list, and how they are.
import { z } from 'zod';
import { SERVICES } from '../../../api/diagnosis.ts';
import { SECOND } from '../../clock/clock.ts';
import { action, badOutput, SAY_NO, script } from './action.ts';
import { countOf, quoted } from './lines.ts';

/** A unit that a site's settings may name: no shell character is among these, so it can stand in a script. */
export const unitName = z.string().regex(/^[a-z][a-z0-9@._-]{0,63}$/, 'not a unit name: a-z, 0-9, @ . _ -');
export const OWN_UNITS_MAX = 50;
const RESTART_S_MAX = 75;
const STATES_S_MAX = 10;

export interface UnitState {
  unit: string;
  /** `loaded`, `not-found`, `masked` … */
  load: string;
  /** `active`, `inactive`, `failed`, `activating` … */
  active: string;
  sub: string;
  /** Why it failed, `success` otherwise. */
  result: string;
  /** How long it is so, by the host's monotonic clock. Absent for a unit that never changed. */
  since_s?: number;
  /** By systemd itself, after a failure. Absent where systemd is older than 235. */
  restarts?: number;
}

/** All that may be restarted: ours and the site's. */
export function unitsOf(own: readonly string[]): [string, ...string[]] {
  if (own.length > OWN_UNITS_MAX) throw new Error(`more than ${OWN_UNITS_MAX} units of the site's own`);
  return [...SERVICES, ...own.map((name) => unitName.parse(name))];
}

/** The list stands in the script too, so that a sudoers file opens these units and no others. */
function checkUnits(units: readonly string[]): string {
  return `for u in "$@"; do case "$u" in ${units.join('|')}) ;; *) refuse "unit not in the list of this host: $u";; esac; done;`;
}

const PROPERTIES = [
  'Id',
  'LoadState',
  'ActiveState',
  'SubState',
  'Result',
  'NRestarts',
  'StateChangeTimestampMonotonic',
];
const SHOW = `timeout ${STATES_S_MAX} systemctl show --property=${PROPERTIES.join(' --property=')} -- "$u"`;

/** A unit that stopped for good after too many starts takes no other before its failures are forgotten. */
const restartScript = (check: string) => `
  ${SAY_NO}
  [ "$#" -eq 1 ] || refuse 'one unit is wanted';
  ${check}
  u=$1;
  systemctl reset-failed -- "$u" 2>/dev/null;
  timeout ${RESTART_S_MAX} systemctl restart -- "$u" || cannot "systemctl restart $u ended with exit code $?";
  read -r up idle </proc/uptime; echo "up=$up"; ${SHOW}`;

const statesScript = (check: string) => `
  ${SAY_NO}
  [ "$#" -ge 1 ] || refuse 'a unit is wanted';
  ${check}
  read -r up idle </proc/uptime; echo "up=$up";
  for u in "$@"; do ${SHOW} || cannot "systemctl show $u ended with exit code $?"; echo; done`;

export function unitActions(units: [string, ...string[]]) {
  const unit = z.enum(units);
  const restartUnit = action({
    about: 'restarts a service of the list',
    params: z.strictObject({ unit }),
    root: true,
    timeout_ms: (RESTART_S_MAX + 2 * STATES_S_MAX) * SECOND,
    output_bytes_max: 16 * 1024,
    script: script(restartScript(checkUnits(units))),
    args: (params) => [params.unit],
    parse: (output, params): UnitState => {
      const [state] = statesIn(output, [params.unit]);
      return state as UnitState;
    },
  });
  const unitStates = action({
    about: 'says how services of the list are',
    params: z.strictObject({ units: z.array(unit).min(1).max(units.length) }),
    root: false,
    timeout_ms: 30 * SECOND,
    output_bytes_max: 64 * 1024,
    script: script(statesScript(checkUnits(units))),
    args: (params) => params.units,
    parse: (output, params): UnitState[] => statesIn(output, params.units),
  });
  return { restartUnit, unitStates };
}

/** `systemctl show` prints its properties in an order of its own, one block a unit. */
function statesIn(output: Buffer, units: readonly string[]): UnitState[] {
  const text = output.toString('utf8');
  const up_s = Number(/^up=(\d+(?:\.\d+)?)$/m.exec(text)?.[1] ?? Number.NaN);
  if (Number.isNaN(up_s)) throw badOutput(`no uptime in ${quoted(text)}`);
  const blocks = text
    .replace(/^up=.*$/m, '')
    .split(/\n{2,}/)
    .map((block) => block.trim())
    .filter((block) => block !== '');
  if (blocks.length !== units.length) throw badOutput(`${units.length} units wanted, ${blocks.length} came`);
  return blocks.map((block, at) => stateIn(block, units[at] as string, up_s));
}

function stateIn(block: string, unit: string, up_s: number): UnitState {
  const values = new Map<string, string>();
  for (const line of block.split('\n')) {
    const cut = line.indexOf('=');
    if (cut > 0) values.set(line.slice(0, cut), line.slice(cut + 1));
  }
  const want = (name: string) => {
    const value = values.get(name);
    if (!value) throw badOutput(`${unit} has no ${name}`);
    return value;
  };
  const id = want('Id');
  if (id !== unit && id !== `${unit}.service`) throw badOutput(`${unit} was asked for, ${quoted(id)} came`);
  const changed_us = countOf(
    values.get('StateChangeTimestampMonotonic') || '0',
    'StateChangeTimestampMonotonic',
  );
  const restarts = values.get('NRestarts');
  return {
    unit,
    load: want('LoadState'),
    active: want('ActiveState'),
    sub: want('SubState'),
    result: want('Result'),
    ...(changed_us > 0 && { since_s: Math.max(0, up_s - changed_us / 1e6) }),
    ...(restarts && { restarts: countOf(restarts, 'NRestarts') }),
  };
}

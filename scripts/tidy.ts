import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const LINES_MAX = 500;

/** Rooms from left to right: one may import itself, what stands left of it, and api and platform. */
const ROOMS = ['fleet', 'signals', 'healing', 'budget', 'operations', 'planning', 'crash'];
const GROUND = ['api', 'platform'];
/** Files of the cli that are entry points of the simulation. */
const SIMULATION_DOORS = new Set([
  'src/cli/start.ts',
  'src/cli/sim.ts',
  'src/cli/fleet.ts',
  'src/cli/fault.ts',
]);
/** Only these read the time, sleep or draw. `performance` in benches and scripts is measuring, not deciding. */
// `socket.setTimeout` is the kernel's business, not a decision.
const TIME = /(?<!\.)\b(Date\.now\(|new Date\(\)|Math\.random\(|setTimeout\(|setInterval\()/;
const TIME_DOORS = ['src/platform/clock/'];
const NAMED_HERE = /\/work\/|\bregistry\.(npmjs|yarnpkg)\b|\bproxy\.golang\b/;

/** What breaks a house rule, one line each. */
export function tidy(): string[] {
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  const complaints: string[] = [];
  for (const file of files
    .split('\n')
    .filter((file) => file.endsWith('.ts') && existsSync(join(root, file)))) {
    const text = readFileSync(join(root, file), 'utf8');
    const lines = text.split('\n');
    if (!file.endsWith('.test.ts') && lines.length > LINES_MAX)
      complaints.push(`${file}: ${lines.length} lines; a file of ${LINES_MAX} asks to be two`);
    if (file !== 'scripts/tidy.ts' && NAMED_HERE.test(text))
      complaints.push(`${file}: names a machine's path or a registry's host`);
    if (!file.startsWith('src/')) continue;
    if (
      !file.includes('.test.') &&
      !/test-|-suite\.ts$/.test(file) &&
      !TIME_DOORS.some((door) => file.startsWith(door))
    ) {
      for (const [at, line] of lines.entries()) {
        if (TIME.test(line) && !line.trimStart().startsWith('//') && !line.trimStart().startsWith('*'))
          complaints.push(`${file}:${at + 1}: only platform/clock reads the time or draws`);
      }
    }
    complaints.push(...importsOf(file, text));
  }
  return complaints;
}

function importsOf(file: string, text: string): string[] {
  const complaints: string[] = [];
  const room = roomOf(file);
  for (const [, path] of text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)) {
    const target = join(file, '..', path as string);
    const to = roomOf(target);
    if (!to || to === room || file.endsWith('.test.ts')) continue;
    const why = refusal(file, room, to);
    if (why) complaints.push(`${file}: imports ${target}: ${why}`);
  }
  return complaints;
}

function refusal(file: string, room: string | undefined, to: string): string | undefined {
  if (to === 'simulation' && !SIMULATION_DOORS.has(file))
    return 'nothing imports simulation but its own entry points';
  // What stands directly in src/ wires rooms together, as simulation and cli do.
  if (room === undefined || room === 'simulation' || room === 'cli' || room === 'server') return undefined;
  if (GROUND.includes(to)) return undefined;
  if (GROUND.includes(room)) return `${room} is the ground that rooms stand on and imports none of them`;
  if (ROOMS.indexOf(to) >= 0 && ROOMS.indexOf(to) < ROOMS.indexOf(room)) return undefined;
  return `${to} does not stand left of ${room}`;
}

function roomOf(file: string): string | undefined {
  const [first, room, ...rest] = file.split('/');
  return first === 'src' && rest.length > 0 ? room : undefined;
}

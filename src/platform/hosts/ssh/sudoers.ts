// The least rights: a sudoers file that opens exactly our actions that need root.
import type { Action } from '../actions/action.ts';
import { userName } from './options.ts';
import { wireScript } from './wire.ts';

/** By its absolute path, as sudoers wants it. */
export const SHELL = '/bin/sh';
/** Older ones of sudo refuse longer commands, and a host takes at most 128 KiB in one argument. */
const COMMAND_BYTES_MAX = 16 * 1024;

/**
 * Text of /etc/sudoers.d/drover for sudo 1.8 and newer. No wildcards: parameters come over stdin, so every command stands
 * there whole, and nothing but these commands matches. After an update of Drover or of a host's units it is made anew.
 *
 * @param actions by name: all, or the ones that a site wants to allow
 */
export function sudoersOf(actions: Readonly<Record<string, Action>>, user: string): string {
  const name = userName.parse(user);
  const lines = [
    '# What Drover may do as root on this host, and nothing else. Written by Drover: a change is lost.',
    '# Each action is a fixed script. Its parameters come over stdin, one a line, and the script checks them itself, so',
    '# no command here ends in a wildcard.',
    `Defaults:${name} !requiretty, env_reset, !setenv`,
  ];
  for (const [action, { about, root, script }] of Object.entries(actions)) {
    if (!root) continue;
    const command = sudoWords(`-c ${wireScript(script)}`);
    if (command.length > COMMAND_BYTES_MAX) throw new Error(`${action} is too long for a sudoers file`);
    lines.push('', `# ${action}: ${about}`, `${name} ALL=(root) NOPASSWD: NOSETENV: ${SHELL} ${command}`);
  }
  return `${lines.join('\n')}\n`;
}

/**
 * Arguments as sudoers(5) writes them. sudo reads twice: its parser takes the backslash from `\,` `\:` `\=` `\#` and `\\`,
 * then fnmatch(3) takes it from `\*` `\?` `\[` `\]` and again from `\\`.
 */
function sudoWords(text: string): string {
  if (/[^\x20-\x7e]| {2}/.test(text))
    throw new Error('a script has a double space, a line end or is not ASCII');
  return text.replace(/[\\*?[\],:=#]/g, (char) => (char === '\\' ? String.raw`\\\\` : `\\${char}`));
}

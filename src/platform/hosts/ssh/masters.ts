// Connections that are kept for the next call: each is an ssh process in the background, behind a socket in our folder.
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SECOND } from '../../clock/clock.ts';

/** One that stands still would not answer; it ends by itself when its time is up. */
const END_MS_MAX = 2 * SECOND;

export const SOCKET_PREFIX = 'c-';

/** Asks all of them to end. */
export async function endMasters(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  const sockets = names.filter((name) => name.startsWith(SOCKET_PREFIX));
  await Promise.all(sockets.map((name) => endMaster(join(folder, name))));
}

function endMaster(socket: string): Promise<void> {
  const args = ['-F', 'none', '-o', `ControlPath=${socket}`, '-O', 'exit', '--', 'any'];
  return new Promise((resolve) => {
    execFile('ssh', args, { timeout: END_MS_MAX, killSignal: 'SIGKILL' }, () => resolve());
  });
}

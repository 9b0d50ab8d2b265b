import { rm } from 'node:fs/promises';
import { createConnection, createServer, type Server } from 'node:net';
import { join } from 'node:path';

/** The longest socket address of macOS; Linux takes 107. */
const SOCKET_PATH_CHARS_MAX = 103;

/**
 * Holds a folder for this process. PGlite itself lets two processes write into one folder, and ruins it.
 * A listening socket is the lock: it is let go of however the process ends, and no process id of another
 * container can be taken for ours.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, 'lock');
  if (path.length > SOCKET_PATH_CHARS_MAX) {
    throw new Error(
      `the path ${folder} is too long; give a folder of at most ${SOCKET_PATH_CHARS_MAX - 5} characters`,
    );
  }
  let server = await listen(path);
  if (!server) {
    if (await isAlive(path)) throw new Error(`${folder} is in use by another process`);
    await rm(path, { force: true });
    server = await listen(path);
  }
  if (!server) throw new Error(`${folder} is in use by another process`);
  const held = server;
  return () => new Promise((resolve) => held.close(() => resolve()));
}

/** Undefined where the name is taken. */
function listen(path: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.unref();
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen(path, () => resolve(server));
  });
}

function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

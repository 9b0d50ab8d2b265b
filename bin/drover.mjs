#!/usr/bin/env node
// Starts Drover on the Node.js that it is tested with, whatever Node.js the user has. Plain JavaScript that
// Node.js 20 understands: nothing else of Drover is.
import { spawn } from 'node:child_process';
import * as module from 'node:module';
import { constants, homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The major version of the pinned Node.js: it runs TypeScript as it is. */
const PINNED_MAJOR = 24;
const main = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));

if (Number(process.versions.node.split('.')[0]) === PINNED_MAJOR) await runHere();
else runOnPinned();

/** Parsed code is kept between runs: it more than halves the time to start. */
function compileCache() {
  if (process.env.NODE_COMPILE_CACHE) return process.env.NODE_COMPILE_CACHE;
  const caches =
    process.env.XDG_CACHE_HOME ||
    (process.platform === 'win32' && process.env.LOCALAPPDATA) ||
    join(homedir(), process.platform === 'darwin' ? 'Library/Caches' : '.cache');
  return join(caches, 'drover', 'compiled');
}

async function runHere() {
  module.enableCompileCache(compileCache());
  const { runProcess } = await import(pathToFileURL(main).href);
  await runProcess();
}

function runOnPinned() {
  let node;
  try {
    node = module.createRequire(import.meta.url).resolve('node/bin/node');
  } catch {
    process.stderr.write(
      `error: Drover needs Node.js ${PINNED_MAJOR}, and this is ${process.version}; its own copy is not installed. ` +
        "Run 'npm install' (with install scripts allowed), or start it with that version\n",
    );
    process.exit(1);
  }
  const env = { ...process.env, NODE_COMPILE_CACHE: compileCache() };
  const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: 'inherit', env });
  // A terminal sends its signals to both of us; the child takes two that come together as one.
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  const pass = (signal) => void child.kill(signal);
  for (const signal of signals) process.on(signal, pass);
  child.on('error', (error) => {
    process.stderr.write(`error: ${node} could not be started: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    for (const each of signals) process.removeListener(each, pass);
    if (signal === null) process.exit(code);
    // Ended by a signal: so that a shell sees that, we end by it too.
    process.kill(process.pid, signal);
    setTimeout(() => process.exit(128 + (constants.signals[signal] ?? 0)), 100);
  });
}

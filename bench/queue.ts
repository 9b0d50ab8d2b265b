// Keys through the work queue, each added several times while it waits; against an array that looks for
// duplicates, which is how it is first written.
import { systemClock } from '../src/platform/clock/system.ts';
import { WorkQueue } from '../src/platform/kube/queue.ts';
import { median_ms, report } from './report.ts';

const KEYS = 20_000;
const ADDS_EACH = 3;
const CONCURRENCY = 16;

const keys = Array.from({ length: KEYS }, (_, index) => `machine-${index}`);

const queue_ms = await median_ms(3, async () => {
  const queue = new WorkQueue(systemClock);
  for (let times = 0; times < ADDS_EACH; times++) for (const key of keys) queue.add(key);
  const stop = new AbortController();
  let done = 0;
  const work = async () => {
    if (++done === KEYS) stop.abort();
    return undefined;
  };
  await queue.run(work, {
    concurrency: CONCURRENCY,
    signal: stop.signal,
    onError: (_, error) => {
      throw error;
    },
  });
  if (done !== KEYS) throw new Error(`${done} keys were worked on`);
});

const array_ms = await median_ms(1, async () => {
  const waiting: string[] = [];
  for (let times = 0; times < ADDS_EACH; times++)
    for (const key of keys) if (!waiting.includes(key)) waiting.push(key);
  let done = 0;
  const work = async () => void done++;
  const worker = async () => {
    for (let key = waiting.shift(); key !== undefined; key = waiting.shift()) await work();
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  if (done !== KEYS) throw new Error(`${done} keys were worked on`);
});

const rate = (ms: number) => KEYS / (ms / 1000);
report('queue', `${KEYS} keys, each added ${ADDS_EACH} times, ${CONCURRENCY} at once`, [
  { what: 'array that looks for duplicates', value: rate(array_ms), unit: 'keys/s' },
  { what: 'WorkQueue', value: rate(queue_ms), unit: 'keys/s', times: array_ms / queue_ms, of: 'the array' },
]);

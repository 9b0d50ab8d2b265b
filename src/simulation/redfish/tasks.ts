// TaskService: what takes longer than its answer.

import { type Clock, MINUTE } from '../../platform/clock/clock.ts';
import type { Board, Power } from './board.ts';
import { type Answer, type Call, type Json, orNotFound, type Route } from './route.ts';
import { collection, link, redfishTime, typed } from './schemas.ts';

/** Finished ones go first, the oldest before others. */
const TASKS_MAX = 100;
/** A task whose board never gets there ends with an exception. */
const TASK_MS_MAX = 10 * MINUTE;

export interface Task {
  readonly id: string;
  readonly name: string;
  readonly startedAt_ms: number;
  state: 'Running' | 'Completed' | 'Exception';
  endedAt_ms?: number;
}

export class Tasks {
  readonly byId = new Map<string, Task>();
  readonly #clock: Clock;
  readonly #ends = new Set<() => void>();
  #lastId = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs until the board's power is so; undefined: is done at once. */
  start(name: string, board: Board, until: Power | undefined): Task {
    const task: Task = {
      id: String(++this.#lastId),
      name,
      startedAt_ms: this.#clock.now(),
      state: 'Running',
    };
    this.#makeRoom();
    this.byId.set(task.id, task);
    const isDone = () => until === undefined || board.power() === until;
    const end = (state: Task['state']) => {
      stop();
      task.state = state;
      task.endedAt_ms = this.#clock.now();
    };
    const unsubscribe = board.subscribe(({ kind }) => {
      if (kind === 'power' && isDone()) end('Completed');
    });
    const timer = this.#clock.timer(TASK_MS_MAX, () => end('Exception'));
    const stop = () => {
      unsubscribe();
      timer.cancel();
      this.#ends.delete(stop);
    };
    this.#ends.add(stop);
    if (isDone()) end('Completed');
    return task;
  }

  #makeRoom(): void {
    if (this.byId.size < TASKS_MAX) return;
    const finished = [...this.byId.values()].find(({ state }) => state !== 'Running');
    const oldest = finished?.id ?? this.byId.keys().next().value;
    if (oldest !== undefined) this.byId.delete(oldest);
  }

  clear(): void {
    for (const end of this.#ends) end();
    this.byId.clear();
  }
}

const SERVICE = '/redfish/v1/TaskService';
const PATH = `${SERVICE}/Tasks`;
const MONITORS = `${SERVICE}/TaskMonitors`;

export const taskRoutes: readonly Route[] = [
  { path: SERVICE, read: serviceResource },
  {
    path: PATH,
    isCollection: true,
    read: ({ service }) =>
      collection('TaskCollection', PATH, 'Task Collection', [...service.tasks.byId.keys()]),
  },
  { path: `${PATH}/{task}`, read: (call) => resource(taskOf(call)) },
  { path: `${MONITORS}/{task}`, get: monitor },
];

function serviceResource({ service }: Call): Json {
  return {
    ...typed('TaskService', SERVICE, 'TaskService', 'Task Service'),
    ServiceEnabled: true,
    Status: { State: 'Enabled', Health: 'OK' },
    DateTime: redfishTime(service.clock.now()),
    CompletedTaskOverWritePolicy: 'Oldest',
    LifeCycleEventOnTaskStateChange: false,
    Tasks: link(PATH),
  };
}

function taskOf(call: Call): Task {
  return orNotFound(call.service.tasks.byId.get(call.params.task ?? ''), call);
}

function resource({ id, name, state, startedAt_ms, endedAt_ms }: Task): Json {
  return {
    ...typed('Task', `${PATH}/${id}`, id, name),
    TaskState: state,
    TaskStatus: state === 'Exception' ? 'Critical' : 'OK',
    StartTime: redfishTime(startedAt_ms),
    ...(endedAt_ms === undefined ? {} : { EndTime: redfishTime(endedAt_ms) }),
    TaskMonitor: `${MONITORS}/${id}`,
    Messages: [],
  };
}

/** 202 while it runs, then the answer that the act itself would have had. */
function monitor(call: Call): Answer {
  const task = taskOf(call);
  if (task.state === 'Running') return taskAnswer(task);
  return task.state === 'Completed' ? { status: 204 } : { status: 500, body: resource(task) };
}

export function taskAnswer(task: Task): Answer {
  return {
    status: 202,
    body: resource(task),
    headers: { location: `${MONITORS}/${task.id}`, 'retry-after': '1' },
  };
}

// Hosts by ECS Cloud Assistant: RunCommand has the agent on the instance run a script as root, and tells what it printed.
// Its answers are slow (seconds), mix stdout with stderr and hold 24 KB: packed.ts gets exact output through that in parts.
import { SECOND } from '../../clock/clock.ts';
import type { Order, Ran, Shell } from '../../hosts/actions/shell.ts';
import { HostError, type HostFailure, type HostRef } from '../../hosts/host.ts';
import { inTurns } from '../../hosts/in-turns.ts';
import {
  PACKED_FOLDER,
  type Packing,
  packed_bytes_max,
  packedScript,
  partScript,
  reportOf,
  tidyScript,
  unpacked,
} from '../../hosts/packed.ts';
import { quoteWords } from '../../hosts/ssh/quote.ts';
import { wireArgs } from '../../hosts/ssh/wire.ts';
import { messageOf } from '../../kube/errors.ts';
import { sideBySide } from '../../side-by-side.ts';
import { ProviderError } from '../provider.ts';
import { endedFailure, type Invocation, refusedFailure } from './agent-failures.ts';
import type { EcsApi } from './api.ts';

/** The API's, of CommandContent as it is sent: base64. */
const COMMAND_BYTES_MAX = 24 * 1024;
/** A report: 4 KB of complaints and 12 KB of output, in base64 22 KB of the 24 that the API holds. */
const FIRST_BYTES_MAX = 12 * 1024;
const PART_BYTES_MAX = 17 * 1024;
const PARTS_AT_ONCE_MAX = 4;
/** The API's. */
const TIMEOUT_S_MIN = 10;
const PART_TIMEOUT_MS = 60 * SECOND;
/** The agent asks for its work, or is told of it, within so long. */
const PICK_UP_MS = 15 * SECOND;
const POLL_MS_MIN = SECOND;
const POLL_MS_MAX = 5 * SECOND;
/** With one ClientToken all of them are one command. */
const SENDS_MAX = 4;
const SEND_AGAIN_MS = 2 * SECOND;

/** The agent takes ten commands at once by default, and they are not all ours; the API's limits stand before that. */
const RUNS_MAX = 64;
const RUNS_HOST_MAX = 2;

export interface AgentOptions {
  /** Where output waits on the host. */
  folder?: string;
}

/** A host's id is its instance's. Everything runs as root, as the agent itself does: `Order.root` makes no difference. */
export function ecsAgent(api: EcsApi, { folder = PACKED_FOLDER }: AgentOptions = {}): Shell {
  return inTurns(
    { exec: (host, order, signal) => exec(api, folder, host, order, signal) },
    RUNS_MAX,
    RUNS_HOST_MAX,
  );
}

async function exec(
  api: EcsApi,
  folder: string,
  host: HostRef,
  order: Order,
  signal: AbortSignal | undefined,
): Promise<Ran> {
  signal?.throwIfAborted();
  const began = api.clock.now();
  const packing: Packing = { name: api.clock.id(32), folder, first_bytes_max: FIRST_BYTES_MAX };
  const commands = new Commands(api, host.id, signal);
  const output = await commands.run(commandOf(order, packing), order.timeout_ms, packing.name);
  const ran = await ranOf(commands, host.id, order, packing, output);
  return { ...ran, duration_ms: api.clock.now() - began };
}

function commandOf(order: Order, packing: Packing): string {
  // Refuses what cannot travel.
  wireArgs(order.args);
  return `set -- ${quoteWords(order.args)}; ${packedScript(order, packing)}`;
}

async function ranOf(
  commands: Commands,
  id: string,
  order: Order,
  packing: Packing,
  output: string,
): Promise<Omit<Ran, 'duration_ms'>> {
  const fail = (failure: HostFailure, message: string) => new HostError(`${id}: ${message}`, failure);
  const report = reportOf(output);
  switch (report.state) {
    case 'NotBegun':
      throw fail('Failed', `the agent ran it, and its shell did not come up: ${lineOf(output)}`);
    case 'Cannot':
      throw fail('Failed', `the host could not begin it: ${report.message}`);
    case 'Begun':
      throw fail('Cut', 'it began, and the agent told no end of it');
    case 'Done':
  }
  const { exitCode, packed_bytes, stderr, first } = report;
  if (packed_bytes > packed_bytes_max(order.output_bytes_max + 1))
    throw fail('BadOutput', `says that it has ${packed_bytes} bytes of output, packed`);
  const rest = await restOf(commands, packing, first, packed_bytes).catch((error: unknown) => {
    if (!(error instanceof HostError)) throw error;
    // Whatever it is, it is not that nothing was begun.
    throw fail('Cut', `it ran, and its output could not be fetched: ${error.message}`);
  });
  try {
    const { stdout, truncated } = unpacked(Buffer.concat([first, ...rest]), order.output_bytes_max);
    return { exitCode: truncated ? undefined : exitCode, stdout, stderr, truncated };
  } catch (error) {
    throw fail('BadOutput', `its output cannot be unpacked: ${messageOf(error)}`);
  }
}

/** What did not come with the report. The act is over by then: what fails here is its output only. */
async function restOf(
  commands: Commands,
  packing: Packing,
  first: Buffer,
  packed_bytes: number,
): Promise<Buffer[]> {
  const count = Math.ceil((packed_bytes - first.length) / PART_BYTES_MAX);
  const parts = new Array<Buffer>(Math.max(0, count));
  await sideBySide(parts.keys(), PARTS_AT_ONCE_MAX, async (at) => {
    const part = partScript(packing, first.length + at * PART_BYTES_MAX, PART_BYTES_MAX);
    parts[at] = Buffer.from(await commands.run(part, PART_TIMEOUT_MS), 'base64');
  });
  // A later run takes away what this leaves.
  if (count > 0) await commands.run(tidyScript(packing), PART_TIMEOUT_MS).catch(() => undefined);
  return parts;
}

/** Commands on one instance. */
class Commands {
  readonly #api: EcsApi;
  readonly #id: string;
  readonly #signal: AbortSignal | undefined;

  constructor(api: EcsApi, id: string, signal: AbortSignal | undefined) {
    this.#api = api;
    this.#id = id;
    this.#signal = signal;
  }

  /** What it printed, stdout and stderr together. Throws HostError, or the signal's reason. */
  async run(text: string, timeout_ms: number, clientToken = this.#api.clock.id(32)): Promise<string> {
    const content = Buffer.from(`#!/bin/sh\n${text}\n`).toString('base64');
    if (content.length > COMMAND_BYTES_MAX)
      throw this.#fail('Refused', `a command has ${COMMAND_BYTES_MAX} bytes at most, this ${content.length}`);
    const invokeId = await this.#send(content, timeout_ms, clientToken);
    try {
      return await this.#ended(invokeId, timeout_ms);
    } catch (error) {
      if (this.#signal?.aborted || (error instanceof HostError && error.failure === 'TimedOut'))
        await this.#stop(invokeId);
      throw error;
    }
  }

  #fail(failure: HostFailure, message: string): HostError {
    return new HostError(`${this.#id}: ${message}`, failure);
  }

  async #send(commandContent: string, timeout_ms: number, clientToken: string): Promise<string> {
    const request = {
      regionId: this.#api.regionId,
      type: 'RunShellScript',
      commandContent,
      contentEncoding: 'Base64',
      // Else `{{ }}` in it would mean something.
      enableParameter: false,
      instanceId: [this.#id],
      timeout: Math.max(TIMEOUT_S_MIN, Math.ceil(timeout_ms / SECOND)),
      terminationMode: 'ProcessTree',
      clientToken,
    };
    let wasLost = false;
    for (let sends = 1; ; sends++) {
      try {
        const { invokeId } = await this.#api.call(
          'RunCommand',
          'Act',
          (client, sdk) => client.runCommand(new sdk.RunCommandRequest(request)),
          this.#signal,
        );
        if (!invokeId) throw new ProviderError('Broken', 'ECS RunCommand: the answer has no InvokeId');
        return invokeId;
      } catch (error) {
        if (this.#signal?.aborted || !(error instanceof ProviderError)) throw error;
        wasLost ||= error.failure === 'Unknown';
        const again = error.failure === 'Unknown' || error.failure === 'TryAgain';
        // Once an answer was lost the command may run, whatever the API says of its repeats.
        if (!again || sends === SENDS_MAX)
          throw this.#fail(wasLost ? 'Cut' : refusedFailure(error), error.message);
        await this.#api.clock.sleep(SEND_AGAIN_MS, this.#signal);
      }
    }
  }

  async #ended(invokeId: string, timeout_ms: number): Promise<string> {
    const { clock } = this.#api;
    const deadline = clock.now() + timeout_ms + PICK_UP_MS;
    let wait_ms = POLL_MS_MIN;
    for (;;) {
      await clock.sleep(wait_ms, this.#signal);
      wait_ms = Math.min(wait_ms * 1.5, POLL_MS_MAX);
      const result = await this.#look(invokeId);
      if (result && result.invocationStatus !== 'Pending' && result.invocationStatus !== 'Running')
        return this.#outputOf(result);
      if (clock.now() >= deadline)
        throw this.#fail(
          'TimedOut',
          `did not end within ${timeout_ms} ms, says its agent: invocation ${invokeId}`,
        );
    }
  }

  /** Undefined while nothing is known of it. */
  async #look(invokeId: string): Promise<Invocation | undefined> {
    const request = {
      regionId: this.#api.regionId,
      invokeId,
      instanceId: this.#id,
      contentEncoding: 'Base64',
    };
    try {
      const { invocation } = await this.#api.call(
        'DescribeInvocationResults',
        'Read',
        (client, sdk) => client.describeInvocationResults(new sdk.DescribeInvocationResultsRequest(request)),
        this.#signal,
      );
      return invocation?.invocationResults?.invocationResult?.find(
        ({ instanceId }) => instanceId === this.#id,
      );
    } catch (error) {
      if (this.#signal?.aborted || !(error instanceof ProviderError)) throw error;
      if (['TryAgain', 'Throttled', 'NotFound'].includes(error.failure)) return undefined;
      throw this.#fail('Cut', `it was sent, and then its end could not be read: ${error.message}`);
    }
  }

  #outputOf(result: Invocation): string {
    const failure = endedFailure(result);
    if (failure) throw this.#fail(failure.failure, failure.message);
    if (result.dropped)
      throw this.#fail('BadOutput', `the API dropped ${result.dropped} bytes of what the agent printed`);
    return Buffer.from(result.output ?? '', 'base64').toString('latin1');
  }

  /** Nothing can be done where that fails too: the agent ends it at its Timeout. */
  async #stop(invokeId: string): Promise<void> {
    const request = { regionId: this.#api.regionId, invokeId, instanceId: [this.#id] };
    await this.#api
      .call('StopInvocation', 'Act', (client, sdk) =>
        client.stopInvocation(new sdk.StopInvocationRequest(request)),
      )
      .catch(() => undefined);
  }
}

function lineOf(text: string): string {
  return text.trim().replace(/\s+/g, ' ').slice(-300) || 'it said nothing';
}

import { z } from 'zod';

const info = z.object({ Message: z.string().optional(), MessageId: z.string().optional() });
const infos = z.array(z.unknown());
const SAID_LENGTH_MAX = 500;

/**
 * What a Redfish error says (DSP0266, "Error responses"): the extended messages before the general one. Vendors put them
 * at `error`, or at the top.
 */
export function saidBy(body: unknown): string {
  const said = messagesOf(body).flatMap(({ Message }) => (Message ? [Message] : []));
  const error = record(record(body)?.error);
  const general = [error?.message, error?.code].find((each) => typeof each === 'string');
  return (said.join('; ') || String(general ?? '')).slice(0, SAID_LENGTH_MAX);
}

/** iLO answers what worked with an object named `error` that says Success. */
export function saysSuccess(body: unknown): boolean {
  const ids = messagesOf(body).map(({ MessageId = '' }) => MessageId);
  return ids.length > 0 && ids.every((id) => /\.(Success|Created|Accepted)$/.test(id));
}

function messagesOf(body: unknown): z.output<typeof info>[] {
  const outer = record(body);
  const extended = infos.safeParse(
    record(outer?.error)?.['@Message.ExtendedInfo'] ?? outer?.['@Message.ExtendedInfo'],
  );
  return (extended.data ?? []).flatMap((each) => info.safeParse(each).data ?? []);
}

function record(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
}

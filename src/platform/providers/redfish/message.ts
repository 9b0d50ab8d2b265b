import { z } from 'zod';

const info = z.object({ Message: z.string().optional() });
const infos = z.array(z.unknown());
const SAID_LENGTH_MAX = 500;

/**
 * What a Redfish error says (DSP0266, "Error responses"): the extended messages before the general one. Vendors put them
 * at `error`, or at the top.
 */
export function saidBy(body: unknown): string {
  const outer = record(body);
  const error = record(outer?.error);
  const extended = infos.safeParse(error?.['@Message.ExtendedInfo'] ?? outer?.['@Message.ExtendedInfo']);
  const said = (extended.data ?? []).flatMap((each) => {
    const { data } = info.safeParse(each);
    return data?.Message ? [data.Message] : [];
  });
  const general = [error?.message, error?.code].find((each) => typeof each === 'string');
  return (said.join('; ') || String(general ?? '')).slice(0, SAID_LENGTH_MAX);
}

function record(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
}

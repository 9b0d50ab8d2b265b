import { type LogEntry, ProviderError } from '../provider.ts';
import type { Bmc } from './bmc.ts';
import { isResource, linkOf, linksOf, type Resource, textOf } from './resource.ts';

/** Where vendors keep the log of hardware events: ids of LogServices, best first. Others hold audits of logins. */
const NAMES = ['SEL', 'Sel', 'IML', 'EventLog', 'PlatformLog', 'StandardLog', 'Log1', 'Log'];
const PAGES_MAX = 200;
const ENTRIES_MAX = 5000;

/** The log of the system, or of the manager that it is managed by. Throws Refused where there is none. */
export async function findLog(bmc: Bmc, system: Resource, signal?: AbortSignal): Promise<string> {
  const links = isResource(system.Links) ? system.Links : {};
  const services: Resource[] = [];
  const collect = async (holder: Resource) => {
    const path = linkOf(holder, 'LogServices');
    if (!path) return;
    for (const member of linksOf((await bmc.get(path, signal)).Members))
      services.push(await bmc.get(member, signal));
  };
  await collect(system);
  for (const path of linksOf(links.ManagedBy)) await collect(await bmc.get(path, signal));
  const best = services
    .filter((service) => linkOf(service, 'Entries'))
    .map((service) => ({ service, rank: rankOf(service) }))
    .sort((a, b) => a.rank - b.rank)[0];
  if (!best)
    throw new ProviderError('Refused', `the BMC ${bmc.name} shows no log of hardware events`, {
      reason: 'NotImplemented',
    });
  return linkOf(best.service, 'Entries') as string;
}

function rankOf(service: Resource): number {
  if (service.LogEntryType === 'SEL') return -1;
  const at = NAMES.indexOf(textOf(service, 'Id') ?? '');
  return at < 0 ? NAMES.length : at;
}

/** Follows `Members@odata.nextLink` to the end; half a log is none. Oldest first, whatever the BMC's order is. */
export async function readLog(bmc: Bmc, path: string, signal?: AbortSignal): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  const seen = new Set<string>();
  for (let next: string | undefined = path; next !== undefined; ) {
    if (seen.has(next) || seen.size >= PAGES_MAX || entries.length > ENTRIES_MAX)
      throw new ProviderError(
        'Broken',
        `the log of the BMC ${bmc.name} has no end: ${seen.size} pages read, the next is ${next}`,
      );
    seen.add(next);
    const page: Resource = await bmc.get(next, signal);
    for (const member of Array.isArray(page.Members) ? page.Members : []) {
      const link = linkOf(member, '@odata.id');
      // Some list links only, and want a request for each.
      const entry =
        isResource(member) && member.Message === undefined && link ? await bmc.get(link, signal) : member;
      if (isResource(entry)) entries.push(entryOf(entry));
    }
    const link: unknown = page['Members@odata.nextLink'];
    next = typeof link === 'string' ? link : undefined;
  }
  return entries.sort((a, b) => (a.at ?? '').localeCompare(b.at ?? '') || Number(a.id) - Number(b.id) || 0);
}

function entryOf(entry: Resource): LogEntry {
  const at = timeOf(entry, 'Created') ?? timeOf(entry, 'EventTimestamp');
  const message = (textOf(entry, 'Message') ?? textOf(entry, 'MessageId') ?? '').slice(0, 1000);
  const isOver =
    entry.EntryCode === 'Deassert' ? ' | Deasserted' : entry.Resolved === true ? ' | Resolved' : '';
  return {
    id: (textOf(entry, 'Id') ?? '').slice(0, 256),
    ...(at && { at }),
    severity: isOver ? 'OK' : severityOf(entry),
    sensor: (textOf(entry, 'SensorType') ?? textOf(entry, 'OemSensorType') ?? '').slice(0, 128),
    message: `${message}${isOver}`,
  };
}

export function severityOf(entry: Resource): LogEntry['severity'] {
  const severity = textOf(entry, 'Severity') ?? textOf(entry, 'MessageSeverity');
  return severity === 'Critical' || severity === 'Warning' ? severity : 'OK';
}

/** What was written before its clock was set is from 1970. */
export function timeOf(entry: Resource, name: string): string | undefined {
  const at = Date.parse(textOf(entry, name) ?? '');
  return at > Date.UTC(2000, 0) ? new Date(at).toISOString() : undefined;
}

import type { LogEntry } from '../provider.ts';

/**
 * Reads `ipmitool -c sel list`: `id,date,time,sensor,event,direction`, as the system event log of IPMI 2.0, section 32.
 * An entry that was written before the BMC's clock was set ("Pre-Init") has no time.
 */
export function selEntries(csv: string): LogEntry[] {
  const entries: LogEntry[] = [];
  for (const line of csv.split('\n')) {
    const [id = '', date = '', time = '', sensor = '', event = '', direction = ''] = line
      .split(',')
      .map((part) => part.trim());
    if (!/^[0-9a-f]+$/i.test(id) || sensor === '') continue;
    const at = timeOf(date, time);
    const isOver = /^Deasserted/i.test(direction);
    entries.push({
      id,
      ...(at && { at }),
      severity: isOver ? 'OK' : severityOf(sensor, event),
      sensor: sensor.replace(/ #0x[0-9a-f]+$/i, ''),
      message: [event, direction].filter(Boolean).join(' | '),
    });
  }
  return entries;
}

/** `11/25/2026` or `11/25/26`, `14:03:22` with or without a zone. */
function timeOf(date: string, time: string): string | undefined {
  const [, month, day, year] = /^(\d{2})\/(\d{2})\/(\d{2,4})$/.exec(date) ?? [];
  const [clock] = /^\d{2}:\d{2}:\d{2}/.exec(time) ?? [];
  if (!month || !day || !year || !clock) return undefined;
  return `${year.length === 2 ? `20${year}` : year}-${month}-${day}T${clock}Z`;
}

const CRITICAL =
  /uncorrectable|fatal|IERR|thermal trip|machine check|non-recoverable|critical stop|NMI|bus.*error|SERR|PERR|input lost|failure detected|predictive failure|watchdog.*(reset|power|hard)/i;
const WARNING = /correctable|non-critical|redundancy|degraded|throttled|limit|timer expired|lost/i;

/** SEL entries carry no severity of their own: it lies in what happened. */
function severityOf(sensor: string, event: string): LogEntry['severity'] {
  const all = `${sensor} ${event}`;
  if (/^correctable|[^n]correctable/i.test(event)) return 'Warning';
  if (CRITICAL.test(all)) return 'Critical';
  return WARNING.test(all) ? 'Warning' : 'OK';
}

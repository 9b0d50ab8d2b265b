// Times as somebody reads them who was woken up: the moment in UTC, and how long ago or until then.

/** `45s`, `3m12s`, `47m`, `5h12m`, `2d3h`: two units at most, as kubectl has it. */
export function span(duration_ms: number): string {
  const seconds = Math.max(0, Math.round(duration_ms / 1000));
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return seconds % 60 === 0 ? `${minutes}m` : `${minutes}m${seconds % 60}s`;
  if (minutes < 120) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours}h` : `${hours}h${minutes % 60}m`;
  const days = Math.floor(hours / 24);
  return hours % 24 === 0 || days >= 8 ? `${days}d` : `${days}d${hours % 24}h`;
}

/** `03:12:44Z`, with the day where it is not today. */
export function moment(time: string | number, now: number): string {
  const at = new Date(time).toISOString();
  const isToday = at.slice(0, 10) === new Date(now).toISOString().slice(0, 10);
  return isToday ? `${at.slice(11, 19)}Z` : `${at.slice(0, 10)} ${at.slice(11, 19)}Z`;
}

/** `03:12:44Z, 45s ago` */
export function ago(time: string | number, now: number): string {
  const past_ms = now - new Date(time).getTime();
  return `${moment(time, now)}, ${past_ms >= 0 ? `${span(past_ms)} ago` : `in ${span(-past_ms)}`}`;
}

/** `until 03:12:44Z, in 45s`; what is over says so. */
export function until(time: string | number, now: number): string {
  const left_ms = new Date(time).getTime() - now;
  return `until ${moment(time, now)}${left_ms > 0 ? `, in ${span(left_ms)}` : ', which is now'}`;
}

/** Times within our own texts, `2026-01-02T03:04:05.678Z`, cut to what is worth reading. */
export function shortTimes(text: string, now: number): string {
  return text.replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, (time) => moment(time, now));
}

const BYTE = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const DATE_TIME = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const IPV4 = /^(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/;
const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const DURATION_PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/gy;
const UNIT_MS: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Whether a string has the format; formats that we do not know are no constraint, as in the real server. */
export function isFormat(format: string, value: string): boolean {
  switch (format) {
    case 'date-time':
      return DATE_TIME.test(value) && !Number.isNaN(Date.parse(value));
    case 'date':
      return DATE.test(value) && !Number.isNaN(Date.parse(value));
    case 'duration':
      return durationMs(value) !== undefined;
    case 'ipv4':
      return IPV4.test(value);
    case 'byte':
      return BYTE.test(value);
    case 'uuid':
      return UUID.test(value);
    case 'uri':
      return URL.canParse(value);
    default:
      return true;
  }
}

/** Milliseconds of a Go duration: `1h30m`, `-5s`, `0`. undefined: it is none. */
export function durationMs(text: string): number | undefined {
  const sign = text.startsWith('-') ? -1 : 1;
  const body = text.replace(/^[+-]/, '');
  if (body === '0') return 0;
  let total = 0;
  let end = 0;
  DURATION_PART.lastIndex = 0;
  for (let part = DURATION_PART.exec(body); part; part = DURATION_PART.exec(body)) {
    total += Number(part[1]) * (UNIT_MS[part[2] as string] ?? 0);
    end = DURATION_PART.lastIndex;
  }
  return end === 0 || end !== body.length ? undefined : sign * total;
}

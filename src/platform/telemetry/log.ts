import type { Clock } from '../clock/clock.ts';

export type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Log {
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
}

/** One line an entry, as logfmt: greppable by eye and parsed by every collector. */
export function lineLog(clock: Clock, write: (line: string) => void): Log {
  const entry =
    (level: string) =>
    (message: string, fields: Fields = {}) => {
      let line = `${new Date(clock.now()).toISOString()} ${level} ${message}`;
      for (const [key, value] of Object.entries(fields))
        if (value !== undefined) line += ` ${key}=${quoted(value)}`;
      write(line);
    };
  return { info: entry('info'), warn: entry('warn'), error: entry('error') };
}

function quoted(value: string | number | boolean): string {
  const text = String(value);
  return /^[\w.:/@%+-]+$/.test(text) ? text : JSON.stringify(text);
}

export const noLog: Log = { info() {}, warn() {}, error() {} };

import type { Migration } from './index.ts';

/**
 * Crashes are few (10 a day of 50,000 machines) and kept for years. What people and the trend ask by stands in
 * columns, the rest is the record itself. `crash_orders` remembers what people said of signatures. `fleet_days` says
 * how many machines of each kind there were on each day: a crash rate needs what did not crash, too.
 */
export const crashes: Migration = {
  name: '0002-crashes',
  statements: [
    `create table crashes (
      id text primary key,
      cluster text not null,
      machine text not null,
      happened_at timestamptz not null,
      seen_at timestamptz not null,
      signature text not null,
      title text not null,
      cause text not null,
      attributes jsonb not null,
      object jsonb not null
    )`,
    'create index crashes_happened_at on crashes (happened_at desc)',
    'create index crashes_machine on crashes (machine, happened_at desc)',
    'create index crashes_signature on crashes (signature, happened_at desc)',
    `create table crash_orders (
      number bigint generated always as identity primary key,
      at timestamptz not null,
      who text not null,
      order_given jsonb not null
    )`,
    `create table fleet_days (
      day date not null,
      kind jsonb not null,
      machines integer not null,
      primary key (day, kind)
    )`,
  ],
};

import type { LedgerEntry } from './ledger.ts';
import type { Order } from './provider.ts';

export interface Attempt {
  number: number;
  order: Order;
  /** Epoch milliseconds at which it was first asked for. */
  at: number;
}

/** What a ledger says of one wish. */
export interface State {
  ids: string[];
  /** Asked for and not answered, by number. */
  open: Map<number, Attempt>;
  /** Number of the next attempt. */
  next: number;
}

/** Throws where the ledger belongs to another wish, or says what can't be. */
export function replay(wish: string, entries: readonly LedgerEntry[]): State {
  const state: State = { ids: [], open: new Map(), next: 1 };
  for (const entry of entries) {
    if (entry.kind === 'Asked') {
      if (entry.wish !== wish)
        throw new Error(`the ledger is that of the wish ${entry.wish}, not of ${wish}`);
      const { attempt: number, order, at } = entry;
      state.open.set(number, { number, order, at });
      state.next = Math.max(state.next, number + 1);
      continue;
    }
    if (!state.open.delete(entry.attempt))
      throw new Error(`the ledger answers attempt ${entry.attempt}, which is not open`);
    if (entry.kind === 'Filled') state.ids.push(...entry.ids);
  }
  return state;
}

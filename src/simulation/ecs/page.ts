import { ApiError } from './api-error.ts';
import type { Parameters } from './parameters.ts';

/**
 * MaxResults of them (10 to 100), and the token of the page after; '' after the last one. What comes to a list while it
 * is read stands at its end.
 * @param overlap how many entries of the page before are shown again, as happens while a list changes
 */
export function pageOf<T extends { number: number }>(
  all: Iterable<T>,
  parameters: Parameters,
  overlap: number,
): { items: T[]; next: string } {
  const most = parameters.count('MaxResults', 10, 100, 10);
  const token = parameters.text('NextToken');
  const after = token === undefined ? 0 : tokenOf(token);
  const items: T[] = [];
  for (const item of all) {
    if (item.number <= after) continue;
    if (items.length === most) {
      const shown = items.at(-1 - Math.min(overlap, most - 1)) as T;
      return { items, next: Buffer.from(`after ${shown.number}`).toString('base64') };
    }
    items.push(item);
  }
  return { items, next: '' };
}

function tokenOf(token: string): number {
  const match = /^after (\d+)$/.exec(Buffer.from(token, 'base64').toString());
  if (!match) throw new ApiError('InvalidParameter', 'The specified parameter "NextToken" is not valid.');
  return Number(match[1]);
}

import type { Inventory } from '../provider.ts';

/** Reads `ipmitool fru print 0` and `ipmitool mc info`: lines of `name : value`. */
export function inventoryOf(fru: string, mc: string): Omit<Inventory, 'sensors'> {
  const parts = valuesOf(fru);
  const manager = valuesOf(mc);
  const model = parts.get('Product Name') ?? parts.get('Board Product');
  const serial = parts.get('Product Serial') ?? parts.get('Board Serial');
  const version = manager.get('Firmware Revision');
  return {
    ...(model && { model }),
    ...(serial && { serial }),
    firmware: version ? [{ name: 'BMC', version }] : [],
  };
}

function valuesOf(text: string): Map<string, string> {
  const pairs = text.split('\n').map((line) => /^\s*([^:]+?)\s*:\s*(\S.*?)\s*$/.exec(line));
  return new Map(pairs.flatMap((pair) => (pair?.[1] && pair[2] ? [[pair[1], pair[2]] as const] : [])));
}

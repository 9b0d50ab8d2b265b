// The contract of providers, row by row, as a table: node scripts/conformance-table.ts
import { ROWS } from '../test/providers/rows.ts';
import { STAGES } from '../test/providers/stages.ts';

/** `●`, `✖`, nothing where it was not tried, or why it cannot be. */
type Cell = string;

/** Addresses, ports and ids are of this run. */
function withoutRun(reason: string): string {
  return reason
    .replace(/\b127\.0\.0\.1:\d+/g, 'HOST')
    .replace(/: POST \S+/, '')
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID');
}

const columns = await Promise.all(
  STAGES.map(async ({ name, skip, open }) => {
    if (skip) return { name, cells: ROWS.map((): Cell => '') };
    await using stage = await open();
    const cells: Cell[] = [];
    for (const row of ROWS) {
      try {
        const cannot = await row.check(stage);
        cells.push(cannot ? withoutRun(cannot.cannot) : '●');
      } catch (error) {
        cells.push('✖');
        console.error(`${name}: ${row.name}: ${error}`);
      }
    }
    await stage.provider.close();
    return { name, cells };
  }),
);
console.log(`| it … | ${columns.map(({ name }) => name).join(' | ')} |`);
console.log(`|---|${columns.map(() => ':-:').join('|')}|`);
/** Reasons, each once, in the order of the table. */
const reasons: string[] = [];
function shown(cell: Cell): string {
  if (cell.length <= 1) return cell;
  const known = reasons.indexOf(cell);
  return String(known >= 0 ? known + 1 : reasons.push(cell));
}
for (const [at, { name }] of ROWS.entries())
  console.log(`| ${name} | ${columns.map(({ cells }) => shown(cells[at] ?? '')).join(' | ')} |`);
console.log('\n● kept. A number: it cannot, and says why:\n');
for (const [at, reason] of reasons.entries()) console.log(`${at + 1}. ${reason}`);
process.exit(columns.some(({ cells }) => cells.includes('✖')) ? 1 : 0);

// What rasdaemon has written down of a machine's hardware, as lines that the rules of hardware know.
// Tables: https://github.com/mchehab/rasdaemon/blob/master/ras-record.c

/** Events of one table that are looked at, the newest. */
const ROWS_MAX = 5000;

interface Table {
  name: string;
  line(row: Record<string, unknown>): string;
}

const TABLES: readonly Table[] = [
  {
    name: 'mc_event',
    line: ({ timestamp, mc, err_count, err_type, err_msg, label }) =>
      `${timestamp} EDAC MC${mc}: ${err_count} ${isUncorrected(err_type) ? 'UE' : 'CE'} ${err_msg} on ${label}`,
  },
  {
    name: 'aer_event',
    line: ({ timestamp, dev_name, err_type, err_msg }) =>
      `${timestamp} pcieport ${dev_name}: AER: ${err_type} error received: ${err_msg}`,
  },
  {
    name: 'mce_record',
    line: ({ timestamp, cpu, bank, bank_name, error_msg, mcistatus_msg }) =>
      `${timestamp} mce: [Hardware Error]: CPU ${cpu}: Machine Check: 0 Bank ${bank}: ${bank_name} ${error_msg} ${mcistatus_msg}`,
  },
  {
    name: 'memory_failure_event',
    line: ({ timestamp, pfn, page_type, action_result }) =>
      `${timestamp} Memory failure: ${pfn}: ${page_type}: ${action_result}`,
  },
];

function isUncorrected(type: unknown): boolean {
  return /uncorrected|fatal/i.test(String(type));
}

/** @param path of ras-mc_event.db; it is only read */
export async function rasLines(path: string): Promise<string> {
  const { DatabaseSync } = await import('node:sqlite');
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const there = new Set(
      database
        .prepare("select name from sqlite_master where type = 'table'")
        .all()
        .map(({ name }) => name),
    );
    const lines = TABLES.filter(({ name }) => there.has(name)).flatMap(({ name, line }) =>
      database
        .prepare(`select * from ${name} order by id desc limit ${ROWS_MAX}`)
        .all()
        .reverse()
        .map((row) => line(row as Record<string, unknown>)),
    );
    return `${lines.join('\n')}\n`;
  } finally {
    database.close();
  }
}

/** A server's answer to `as=Table` (meta.k8s.io/v1). */
export interface Table {
  metadata?: { resourceVersion?: string; continue?: string };
  columnDefinitions: ColumnDefinition[] | null;
  rows: { cells: unknown[] }[] | null;
}

export interface ColumnDefinition {
  name: string;
  type?: string;
  format?: string;
  /** 0: always; more: with `-o wide`. */
  priority?: number;
}

export const TABLE_TYPE = 'application/json;as=Table;v=v1;g=meta.k8s.io';

const GAP = '   ';

/** Prints rows under one header; widths grow when a later row needs it, but never shrink. */
export class TablePrinter {
  readonly #shown: { at: number; name: string; isAge: boolean }[] = [];
  readonly #widths: number[];
  #headed: boolean;

  constructor(
    columns: readonly ColumnDefinition[],
    options: { wide: boolean; header: boolean; leastWidth?: number },
  ) {
    columns.forEach((column, at) => {
      const isAge = column.name === 'Age';
      if (!column.priority || options.wide) this.#shown.push({ at, name: column.name.toUpperCase(), isAge });
    });
    // AGE last, whatever the server's order: wide columns of a CRD come after it.
    this.#shown.sort((a, b) => Number(a.isAge) - Number(b.isAge));
    this.#widths = this.#shown.map(({ name }) => Math.max(options.leastWidth ?? 0, name.length));
    this.#headed = !options.header;
  }

  /** What of a row is shown and is no age: a row that looks the same need not be shown again. */
  key(cells: readonly unknown[]): string {
    return JSON.stringify(this.#shown.filter(({ isAge }) => !isAge).map(({ at }) => cells[at]));
  }

  print(rows: readonly (readonly unknown[])[], options: { age?: string } = {}): string {
    const lines = rows.map((cells) =>
      this.#shown.map(({ at, isAge }) => (isAge && options.age) || textOf(cells[at])),
    );
    for (const line of lines) {
      line.forEach((text, at) => {
        this.#widths[at] = Math.max(this.#widths[at] ?? 0, text.length);
      });
    }
    if (!this.#headed) lines.unshift(this.#shown.map(({ name }) => name));
    this.#headed = true;
    return lines
      .map(
        (line) =>
          `${line
            .map((text, at) => text.padEnd(this.#widths[at] ?? 0))
            .join(GAP)
            .trimEnd()}\n`,
      )
      .join('');
  }
}

function textOf(cell: unknown): string {
  if (cell === null || cell === undefined || cell === '') return '<none>';
  // One row, one line: a message with a line break would break every reader.
  return String(cell).replaceAll(/\s*\n\s*/g, ' ');
}

import { structuralSchema } from './crd.ts';
import { GROUP, type Kind, VERSION } from './kind.ts';

interface Schema {
  type?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  additionalProperties?: Schema;
  'x-kubernetes-int-or-string'?: boolean;
}

/** The reference of all our resources in Markdown: one table a resource, one row a field. */
export function referencePage(kinds: readonly Kind[]): string {
  const parts = [
    '# Resources\n',
    `Generated from \`src/api\` by \`npm run generate\`. Group \`${GROUP}\`, version \`${VERSION}\`; cluster-scoped where nothing else is said.\n`,
  ];
  for (const kind of kinds) {
    parts.push(
      `## ${kind.resource.kind}\n`,
      `${kind.description} Short name: \`${kind.shortNames.join('`, `')}\`.${kind.resource.namespaced ? ' Namespaced.' : ''}\n`,
    );
    parts.push('| field | type | default | meaning |\n|---|---|---|---|');
    parts.push(
      `${[...rowsOf('spec', structuralSchema(kind.spec)), ...rowsOf('status', structuralSchema(kind.status))].join('\n')}\n`,
    );
  }
  return parts.join('\n');
}

function rowsOf(path: string, schema: Schema): string[] {
  const rows: string[] = [];
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    const here = `${path}.${name}`;
    const required = schema.required?.includes(name) ? ' (required)' : '';
    rows.push(
      `| \`${here}\`${required} | ${typeOf(field)} | ${defaultOf(field)} | ${field.description ?? ''} |`,
    );
    if (field.properties) rows.push(...rowsOf(here, field));
    if (field.items?.properties) rows.push(...rowsOf(`${here}[]`, field.items));
  }
  return rows;
}

function typeOf(field: Schema): string {
  if (field.enum) return field.enum.map((value) => `\`${value}\``).join(' ');
  if (field.items) return `list of ${field.items.properties ? 'objects' : typeOf(field.items)}`;
  if (field['x-kubernetes-int-or-string']) return 'quantity';
  if (field.additionalProperties)
    return field.additionalProperties['x-kubernetes-int-or-string'] ? 'map of quantities' : 'map';
  return field.type ?? 'any';
}

function defaultOf(field: Schema): string {
  const value = field.default;
  if (value === undefined || (typeof value === 'object' && JSON.stringify(value) === '{}')) return '';
  return `\`${JSON.stringify(value)}\``;
}

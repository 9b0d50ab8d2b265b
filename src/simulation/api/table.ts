// `as=Table` answers: kubectl prints these and knows nothing of the kinds.

import type { JsonObject } from './json.ts';
import { objectAt } from './json.ts';
import type { Kind, Stored } from './registry.ts';
import { type Column, DEFAULT_COLUMNS } from './table-columns.ts';
import type { WatchEvent } from './watch.ts';

export type IncludeObject = 'None' | 'Metadata' | 'Object';

const columnsOf = (kind: Kind): readonly Column[] => kind.columns ?? DEFAULT_COLUMNS;

function tableOf(
  kind: Kind,
  objects: readonly Stored[],
  metadata: JsonObject,
  include: IncludeObject,
  now_ms: number,
  withHeader: boolean,
): JsonObject {
  const columns = columnsOf(kind);
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: withHeader ? columns.map(header) : null,
    rows: objects.map((object) => ({
      cells: columns.map((each) => each.cell(object, now_ms)),
      ...(include === 'None' ? {} : { object: include === 'Object' ? object : partial(object) }),
    })),
  };
}

const header = ({ name, type, format = '', description, priority }: Column): JsonObject => ({
  name,
  type,
  format,
  description,
  priority,
});

const partial = (object: Stored): JsonObject => ({
  kind: 'PartialObjectMetadata',
  apiVersion: 'meta.k8s.io/v1',
  metadata: object.metadata,
});

export function tableOfList(
  kind: Kind,
  list: { metadata: JsonObject; items: readonly Stored[] },
  include: IncludeObject,
  now_ms: number,
): JsonObject {
  return tableOf(kind, list.items, list.metadata, include, now_ms, true);
}

export function tableOfOne(kind: Kind, object: Stored, include: IncludeObject, now_ms: number): JsonObject {
  const metadata = { resourceVersion: object.metadata.resourceVersion };
  return tableOf(kind, [object], metadata, include, now_ms, true);
}

/** Only the first event of a watch carries the column definitions. */
export function tableOfEvent(
  kind: Kind,
  event: WatchEvent,
  include: IncludeObject,
  now_ms: number,
  isFirst: boolean,
): WatchEvent {
  if (event.type === 'ERROR') return event;
  const object = event.object as Stored;
  if (event.type === 'BOOKMARK') {
    const bookmark = tableOf(kind, [], objectAt(object, 'metadata'), 'None', now_ms, isFirst);
    return { type: 'BOOKMARK', object: bookmark };
  }
  const metadata = { resourceVersion: object.metadata.resourceVersion };
  return { type: event.type, object: tableOf(kind, [object], metadata, include, now_ms, isFirst) };
}

// The way in: version, service root, and the two OData documents.

import type { Answer, Call, Json, Route } from './route.ts';
import { COLLECTIONS, link, SCHEMA_SITE, SCHEMAS, typed } from './schemas.ts';
import { SESSIONS_PATH } from './sessions.ts';

const ROOT = '/redfish/v1/';
/** Of the specification, DSP0266. */
const REDFISH_VERSION = '1.15.0';
const SERVICES = [
  'Systems',
  'Chassis',
  'Managers',
  'SessionService',
  'AccountService',
  'EventService',
  'TaskService',
] as const;
/** The property is named as its path. */
const ALL_SERVICES = [...SERVICES.filter((name) => name !== 'TaskService'), 'UpdateService'];

const everybody = ['GET', 'HEAD'];

export const rootRoutes: readonly Route[] = [
  { path: '/redfish', open: everybody, get: () => ({ status: 200, body: { v1: ROOT } }) },
  { path: '/redfish/v1', open: everybody, read: rootResource },
  { path: '/redfish/v1/odata', open: everybody, get: odata },
  { path: '/redfish/v1/$metadata', open: everybody, get: metadata },
];

function rootResource({ service }: Call): Json {
  const { vendor } = service;
  return {
    ...typed('ServiceRoot', ROOT, 'RootService', 'Root Service'),
    RedfishVersion: REDFISH_VERSION,
    UUID: service.uuid,
    Vendor: vendor.manufacturer,
    Product: vendor.product,
    ...Object.fromEntries(ALL_SERVICES.map((name) => [name, link(`${ROOT}${name}`)])),
    Tasks: link(`${ROOT}TaskService`),
    ProtocolFeaturesSupported: {
      ExcerptQuery: false,
      FilterQuery: false,
      OnlyMemberQuery: false,
      SelectQuery: false,
      TopSkipQuery: true,
    },
    Links: { Sessions: link(SESSIONS_PATH) },
  };
}

function odata(): Answer {
  const value = [
    { name: 'Service', kind: 'Singleton', url: ROOT },
    ...SERVICES.map((name) => ({ name, kind: 'Singleton', url: `${ROOT}${name}` })),
    { name: 'Sessions', kind: 'Singleton', url: SESSIONS_PATH },
  ];
  return { status: 200, body: { '@odata.context': `${ROOT}$metadata`, value } };
}

function metadata(): Answer {
  const reference = (name: string, namespaces: readonly string[]) => {
    const includes = namespaces.map((namespace) => `<edmx:Include Namespace="${namespace}"/>`);
    return `<edmx:Reference Uri="${SCHEMA_SITE}/${name}_v1.xml">${includes.join('')}</edmx:Reference>`;
  };
  const references = [
    ...Object.entries(SCHEMAS).map(([name, version]) => reference(name, [name, `${name}.${version}`])),
    ...COLLECTIONS.map((name) => reference(name, [name])),
    reference('Resource', ['Resource', 'Resource.v1_0_0']),
    `<edmx:Reference Uri="${SCHEMA_SITE}/RedfishExtensions_v1.xml">` +
      '<edmx:Include Namespace="RedfishExtensions.v1_0_0" Alias="Redfish"/></edmx:Reference>',
  ];
  const body = `<?xml version="1.0" encoding="UTF-8"?>
<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx" Version="4.0">
${references.join('\n')}
<edmx:DataServices>
<Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace="Service">
<EntityContainer Name="Service" Extends="ServiceRoot.${SCHEMAS.ServiceRoot}.ServiceContainer"/>
</Schema>
</edmx:DataServices>
</edmx:Edmx>
`;
  return { status: 200, headers: { 'content-type': 'application/xml' }, body };
}

// The three roles of the specification and what they may.

import type { Json, Route } from './route.ts';
import { collection, typed } from './schemas.ts';

export type Privilege =
  | 'Login'
  | 'ConfigureManager'
  | 'ConfigureUsers'
  | 'ConfigureComponents'
  | 'ConfigureSelf';

export const ROLES = {
  Administrator: ['Login', 'ConfigureManager', 'ConfigureUsers', 'ConfigureComponents', 'ConfigureSelf'],
  Operator: ['Login', 'ConfigureComponents', 'ConfigureSelf'],
  ReadOnly: ['Login', 'ConfigureSelf'],
} as const satisfies Record<string, readonly Privilege[]>;

export type RoleId = keyof typeof ROLES;

export function isRole(name: unknown): name is RoleId {
  return typeof name === 'string' && Object.hasOwn(ROLES, name);
}

/** Who asks. */
export interface Who {
  user: string;
  role: RoleId;
  /** Undefined with basic authentication. */
  session?: string;
  mustChangePassword: boolean;
}

export function may(who: Who, privilege: Privilege): boolean {
  const privileges: readonly Privilege[] = ROLES[who.role];
  return privileges.includes(privilege);
}

const PATH = '/redfish/v1/AccountService/Roles';

export const roleRoutes: readonly Route[] = [
  {
    path: PATH,
    isCollection: true,
    read: () => collection('RoleCollection', PATH, 'Roles', Object.keys(ROLES)),
  },
  ...Object.entries(ROLES).map(([id, privileges]): Route => {
    const path = `${PATH}/${id}`;
    return { path, read: (): Json => roleResource(path, id, privileges) };
  }),
];

function roleResource(path: string, id: string, privileges: readonly Privilege[]): Json {
  return {
    ...typed('Role', path, id, `${id} Role`),
    IsPredefined: true,
    RoleId: id,
    AssignedPrivileges: privileges,
    OemPrivileges: [],
  };
}

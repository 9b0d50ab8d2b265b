// Every action there is. A host's settings only say which units its site adds to the list.
import type { Action } from './action.ts';
import { forceDump, kexecReboot, reboot } from './boots.ts';
import { cleanDisk } from './clean-disk.ts';
import { crashFiles, readFile } from './crash-files.ts';
import { facts } from './facts.ts';
import { fileHandles } from './file-handles.ts';
import { fileSystems } from './file-systems.ts';
import { load } from './load.ts';
import { logActions } from './logs.ts';
import { installKernel, installPackage } from './packages.ts';
import { unitActions, unitsOf } from './units.ts';

export interface ActionSettings {
  /** Units of the site's own that may be restarted and read, at most OWN_UNITS_MAX. */
  units?: readonly string[];
}

export function actionsOf({ units: own = [] }: ActionSettings = {}) {
  const units = unitsOf(own);
  return {
    ...unitActions(units),
    ...logActions(units),
    load,
    fileSystems,
    fileHandles,
    facts,
    cleanDisk,
    crashFiles,
    readFile,
    installPackage,
    installKernel,
    kexecReboot,
    reboot,
    forceDump,
  };
}

export type Actions = ReturnType<typeof actionsOf>;
export type ActionName = keyof Actions;
export type ParamsOf<N extends ActionName> = Actions[N] extends Action<infer P, unknown> ? P : never;
export type AnswerOf<N extends ActionName> = ReturnType<Actions[N]['parse']>;

/** An action without its types, for what treats all alike. */
export function actionOf(actions: Actions, name: ActionName): Action {
  return actions[name] as Action;
}

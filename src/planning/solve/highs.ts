// HiGHS, for linear and integer programs (https://highs.dev): the solver behind SciPy's, as WebAssembly.
import loadModule, { type Highs } from 'highs';

let loaded: Promise<Highs> | undefined;

/** 3.5 MB, loaded with the first solve. */
export function highs(): Promise<Highs> {
  // Its types describe the CommonJS build, in which the function is a property of the module.
  const load = loadModule as unknown as typeof loadModule.default;
  loaded ??= load();
  return loaded;
}

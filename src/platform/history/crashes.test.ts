import { CrashStore } from './crashes.ts';
import { crashesSuite } from './crashes-suite.ts';

crashesSuite('crashes in PGlite', () => CrashStore.open({}));

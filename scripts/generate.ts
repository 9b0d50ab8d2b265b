// Writes what is made from the zod types: CRDs and the reference page. `--check` only says what is out of date.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { crdOf } from '../src/api/crd.ts';
import { KINDS } from '../src/api/index.ts';
import { referencePage } from '../src/api/reference-page.ts';

const root = join(import.meta.dirname, '..');

function generated(): Map<string, string> {
  const files = new Map<string, string>();
  for (const kind of KINDS) {
    const note = `# Generated from src/api by \`npm run generate\`. Do not edit.\n`;
    const yaml = stringify(crdOf(kind), { aliasDuplicateObjects: false, lineWidth: 110 });
    files.set(`deploy/crds/${kind.resource.plural}.yaml`, note + yaml);
  }
  files.set('docs/reference.md', referencePage(KINDS));
  return files;
}

const check = process.argv.includes('--check');
let stale = 0;
for (const [path, text] of generated()) {
  const file = join(root, path);
  let present = '';
  try {
    present = readFileSync(file, 'utf8');
  } catch {
    // A file that is missing is as stale as one that differs.
  }
  if (present === text) continue;
  stale++;
  console.log(`${path} ${check ? 'is not current: run npm run generate' : 'written'}`);
  if (check) continue;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
if (check && stale > 0) process.exitCode = 1;

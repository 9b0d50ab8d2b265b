import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { testBlobs } from './blobs-suite.ts';
import { FolderBlobs } from './folder-blobs.ts';

const dir = mkdtempSync(join(tmpdir(), 'drover-blobs-'));
after(() => rmSync(dir, { recursive: true, force: true }));

testBlobs('a folder', () => ({ blobs: new FolderBlobs(dir), dir }));

import type { Clock } from '../clock/clock.ts';
import type { Blobs } from './blobs.ts';
import { FolderBlobs } from './folder-blobs.ts';
import { S3Blobs } from './s3-blobs.ts';
import { S3_FORM, s3PlaceOf } from './s3-place.ts';

/**
 * A folder, or `s3://bucket/prefix?endpoint=…&region=…` with its keys in the environment. Nothing is opened or asked
 * before it is used.
 *
 * @throws Error that says what is to be mended in the setting or the environment
 */
export function openBlobs(
  setting: string,
  env: Readonly<Record<string, string | undefined>>,
  clock: Clock,
): Blobs {
  if (setting.trim() === '') throw new Error(`evidence "": name a folder, or ${S3_FORM}`);
  if (setting.startsWith('s3:')) return new S3Blobs(s3PlaceOf(setting, env), clock);
  if (/^[a-z][\w+.-]*:\/\//i.test(setting))
    throw new Error(`evidence "${setting}": only folders and ${S3_FORM} are known`);
  return new FolderBlobs(setting);
}

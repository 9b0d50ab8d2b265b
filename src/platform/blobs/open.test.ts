import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VirtualClock } from '../clock/virtual.ts';
import { FolderBlobs } from './folder-blobs.ts';
import { openBlobs } from './open.ts';
import { S3Blobs } from './s3-blobs.ts';
import { s3PlaceOf } from './s3-place.ts';

const env = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret' };
const open = (setting: string, more = {}) => openBlobs(setting, { ...env, ...more }, new VirtualClock());

describe('the place of evidence', () => {
  it('is a folder or a bucket', () => {
    assert.ok(open('/var/lib/drover/evidence') instanceof FolderBlobs);
    assert.ok(open('s3://evidence') instanceof S3Blobs);
    assert.throws(() => open('gs://evidence'), /only folders and s3:/);
    assert.throws(() => open(' '), /name a folder/);
  });
  it('in S3 is a bucket of Amazon unless an endpoint says otherwise', () => {
    const urlOf = (setting: string, more = {}) => s3PlaceOf(setting, { ...env, ...more }).url;
    assert.equal(urlOf('s3://evidence/fleet/a'), 'https://evidence.s3.us-east-1.amazonaws.com');
    assert.equal(
      urlOf('s3://evidence', { AWS_REGION: 'eu-north-1' }),
      'https://evidence.s3.eu-north-1.amazonaws.com',
    );
    assert.equal(urlOf('s3://with.dots?region=x-1'), 'https://s3.x-1.amazonaws.com/with.dots');
    assert.equal(urlOf('s3://evidence?endpoint=http://[::1]:9000'), 'http://[::1]:9000/evidence');
    assert.equal(
      urlOf('s3://evidence?endpoint=https://oss.example&style=host'),
      'https://evidence.oss.example',
    );
    assert.equal(s3PlaceOf('s3://evidence/fleet/a/', env).prefix, 'fleet/a');
  });
  it('says what in it is wrong', () => {
    const wrong: [string, RegExp][] = [
      ['s3://Up_Case', /"up_case" is no name of a bucket/i],
      ['s3://evidence:90', /no name of a bucket/],
      ['s3://evidence/a//b', /prefix "a\/\/b" may hold/],
      ['s3://evidence/a%2e%2f', /prefix/],
      ['s3://evidence?endpoint=minio:9000', /endpoint "minio:9000" is no http/],
      ['s3://evidence?endpoint=https://host/path', /may name only a host and a port/],
      ['s3://evidence?regoin=x', /"regoin" is not known; there are endpoint, region, style/],
      ['s3://evidence?region=a.b/c', /no name of a region/],
      ['s3://evidence?style=virtual', /neither path nor host/],
    ];
    for (const [setting, message] of wrong) assert.throws(() => open(setting), message, setting);
    assert.throws(
      () => open('s3://key:secret@evidence'),
      (error: Error) => {
        assert.doesNotMatch(error.message, /secret@/);
        return /keys belong into AWS_ACCESS_KEY_ID/.test(error.message);
      },
    );
  });
  it('in S3 needs its keys in the environment', () => {
    assert.throws(() => open('s3://evidence', { AWS_SECRET_ACCESS_KEY: '' }), /set AWS_SECRET_ACCESS_KEY in/);
    assert.throws(
      () => openBlobs('s3://evidence', {}, new VirtualClock()),
      /set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in/,
    );
  });
});

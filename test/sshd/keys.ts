// Keys and certificates for tests, made by ssh-keygen in a folder of its own.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Key {
  /** Path of the private key. */
  path: string;
  privateKey: string;
  publicKey: string;
}

export interface CertificateFor {
  /** A host's, not a user's. */
  isHost?: boolean;
  principals: string;
  /** As ssh-keygen takes it: `-1h:+1h`. */
  validity?: string;
}

export class Keys implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'drover-keys-'));
  #count = 0;

  make(): Key {
    const path = join(this.#folder, `key-${this.#count++}`);
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', path], { stdio: 'pipe' });
    const read = (name: string) => readFileSync(name, 'utf8').trim();
    return { path, privateKey: read(path), publicKey: read(`${path}.pub`) };
  }

  /** The text of a certificate. */
  sign(
    ca: Key,
    publicKey: string | Key,
    { isHost, principals, validity = '-1h:+1h' }: CertificateFor,
  ): string {
    const key = typeof publicKey === 'string' ? publicKey : publicKey.path;
    const kind = isHost ? ['-h'] : [];
    const args = ['-q', '-s', ca.path, ...kind, '-I', 'test', '-n', principals, '-V', validity, `${key}.pub`];
    execFileSync('ssh-keygen', args, { stdio: 'pipe' });
    const certificate = join(this.#folder, `certificate-${this.#count++}`);
    renameSync(`${key}-cert.pub`, certificate);
    return readFileSync(certificate, 'utf8').trim();
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

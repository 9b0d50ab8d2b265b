// How hosts are reached by SSH, as plain data that is checked where it enters.
import { isIP } from 'node:net';
import { z } from 'zod';

export const userName = z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/, 'not a user name');
/**
 * A name or an address; nothing that ssh could take for an option, or a shell for a word of its own. A name whose end is a
 * number would be an address of the old ways: `0x7f.1`, `2130706433`.
 */
export const hostName = z
  .string()
  .max(253)
  .refine((name) => isIP(name) > 0 || isName(name), 'not a host name or address');

function isName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name) && !/(?:^|\.)(?:0x[0-9a-f]*|\d+)$/i.test(name);
}

const port = z.int().min(1).max(65_535);

const keys = z.strictObject({
  /** OpenSSH or PEM, without a passphrase: nobody is there to type it. */
  privateKey: z.string().min(1).max(32_768),
  /** `ssh-ed25519-cert-v01@openssh.com AAAA…` */
  certificate: z.string().min(1).max(32_768).optional(),
});

const way = {
  user: userName,
  port: port.optional(),
  keys: keys.optional(),
  /** Path of an agent's socket, instead of keys. */
  agentSocket: z
    .string()
    .max(256)
    .regex(/^\/[\w./-]+$/, 'not a path: letters, digits, _ . / -')
    .optional(),
};

const jump = z.strictObject({ ...way, host: hostName });

export const sshOptions = z
  .strictObject({
    ...way,
    /** Lines of known_hosts, also `@cert-authority` and `@revoked`. The jump host's belong here too. */
    knownHosts: z
      .string()
      .min(1, 'no known hosts: a host’s key is always checked')
      .max(64 * 1024 * 1024),
    /** What a host is called in knownHosts and in host certificates. Addresses of machines that come and go are used again. */
    knownAs: z.enum(['Address', 'Id']).default('Address'),
    jump: jump.optional(),
    /** Keep a connection for so long after its last use. 0: a connection each. */
    reuse_s: z.int().min(0).max(3600).default(0),
    /**
     * `Quick` takes curve25519 first, at 11 ms of our CPU a login. OpenSSH's own first choice is safe from quantum computers;
     * before 9.9 that is sntrup761, at 75 ms.
     */
    keyExchange: z.enum(['Usual', 'Quick']).default('Usual'),
    /** Overall, and to one host. */
    concurrent_max: z.int().min(1).max(1000).default(64),
    concurrent_host_max: z.int().min(1).max(8).default(2),
    /** Taking a TCP connection and saying the banner. */
    connect_s: z.int().min(1).max(120).default(5),
    /** From there to being logged in. */
    login_s: z.int().min(1).max(120).default(10),
    /** From there to the first word of the script. */
    start_s: z.int().min(1).max(120).default(10),
    /** A host that does not answer within twice this, while something runs, is lost. */
    alive_s: z.int().min(1).max(300).default(5),
  })
  .superRefine((options, context) => {
    for (const [name, one] of [
      ['', options],
      ['jump.', options.jump],
    ] as const) {
      if (one && !one.keys === !one.agentSocket)
        context.addIssue({
          code: 'custom',
          message: `${name}keys or ${name}agentSocket is wanted, one of them`,
        });
    }
  });

export type SshOptions = z.input<typeof sshOptions>;
export type Settings = z.output<typeof sshOptions>;

const PORT = 22;

/** `host:port`, `[::1]:22`, `host` or `::1`. Throws with what would be right. */
export function placeOf(address: string, usual = PORT): { host: string; port: number } {
  const [, bracketed, named, after] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(address) ?? [];
  const host = bracketed ?? named ?? address;
  const number = after === undefined ? usual : Number(after);
  if (!hostName.safeParse(host).success || !port.safeParse(number).success)
    throw new Error(
      `${JSON.stringify(address.slice(0, 300))} is no address; HOST:PORT or [IPv6]:PORT is wanted`,
    );
  return { host, port: number };
}

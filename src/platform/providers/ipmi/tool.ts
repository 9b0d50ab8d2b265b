// Runs ipmitool: a process a call, 30 to 60 ms. No shell; the password goes by the environment, which only this user
// and root can read, and never into the arguments, which everybody can.
import { spawn } from 'node:child_process';
import { ProviderError } from '../provider.ts';

/** A SEL holds some 4,000 lines of 100 bytes. */
const OUTPUT_BYTES_MAX = 4 << 20;
/** Two packets a command, two seconds each: a BMC that is away costs 6 to 8 s. */
const PACKET_S = 2;
const PACKETS = 2;

export interface Target {
  host: string;
  port: number;
  username: string;
  password: string;
  cipherSuite: number;
  privilege: string;
}

/** What ipmitool printed. Throws ProviderError. */
export async function ipmitool(
  target: Target,
  command: readonly string[],
  signal: AbortSignal | undefined,
): Promise<string> {
  // It says the same of a BMC that is away, a wrong password and a wrong cipher suite; with -v it tells them apart.
  // But -v changes what it prints of a SEL.
  const { code, stdout, stderr } = await run(
    target,
    command[0] === 'chassis' ? ['-v', ...command] : command,
    signal,
  );
  if (code === 0) return stdout;
  if (!/Unable to establish/.test(stderr)) throw failureOf(command, stderr);
  if (command[0] === 'chassis') throw noSession(target, stderr);
  await ipmitool(target, ['chassis', 'power', 'status'], signal);
  throw new ProviderError('TryAgain', `the BMC ${target.host} did not take a session, and does now`);
}

function run(
  { host, port, username, password, cipherSuite, privilege }: Target,
  command: readonly string[],
  signal: AbortSignal | undefined,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const args = [
    '-I',
    'lanplus',
    '-C',
    cipherSuite,
    '-N',
    PACKET_S,
    '-R',
    PACKETS,
    '-L',
    privilege.toUpperCase(),
  ];
  const place = ['-E', '-H', host, '-p', port, '-U', username];
  return new Promise((resolve, reject) => {
    const child = spawn('ipmitool', [...args, ...place, ...command].map(String), {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH, HOME: '/', LC_ALL: 'C', TZ: 'UTC', IPMI_PASSWORD: password },
      ...(signal && { signal, killSignal: 'SIGKILL' }),
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let size_bytes = 0;
    const take = (into: Buffer[]) => (chunk: Buffer) => {
      size_bytes += chunk.length;
      if (size_bytes > OUTPUT_BYTES_MAX) child.kill('SIGKILL');
      else into.push(chunk);
    };
    child.stdout.on('data', take(out));
    child.stderr.on('data', take(err));
    child.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'ENOENT'
          ? new ProviderError(
              'Broken',
              'there is no ipmitool on the PATH of Drover: install the package ipmitool',
            )
          : new ProviderError('Unknown', `ipmitool: ${error.message}`),
      ),
    );
    child.once('close', (code) => {
      if (size_bytes > OUTPUT_BYTES_MAX)
        return reject(new ProviderError('Broken', `ipmitool printed more than ${OUTPUT_BYTES_MAX} bytes`));
      resolve({
        code,
        stdout: Buffer.concat(out).toString('utf8'),
        stderr: Buffer.concat(err).toString('utf8'),
      });
    });
  });
}

/** Why no session came about; nothing was asked of the machine then. */
function noSession({ host, username, cipherSuite }: Target, said: string): ProviderError {
  if (/RAKP 2 HMAC is invalid/.test(said))
    return new ProviderError('BadCredentials', `the BMC ${host} refuses the password of ${username}`, {
      reason: 'WrongPassword',
    });
  if (/unauthorized name|insufficient privilege|Requested privilege level exceeds/i.test(said))
    return new ProviderError(
      'BadCredentials',
      `the BMC ${host} knows no user ${username} with these rights over LAN`,
    );
  if (/invalid (authentication|integrity|confidentiality) algorithm|no matching cipher/i.test(said))
    return new ProviderError(
      'Broken',
      `the BMC ${host} does not take cipher suite ${cipherSuite}: set spec.ipmi.cipherSuite to 3 or 17`,
      { reason: 'WrongCipherSuite' },
    );
  return new ProviderError('TryAgain', `the BMC ${host} does not answer IPMI over LAN`);
}

/** ipmitool's words for completion codes (IPMI 2.0, table 5-2). */
const REFUSALS: readonly { says: RegExp; failure: 'TryAgain' | 'Refused' | 'BadCredentials' }[] = [
  {
    says: /Node busy|Out of space|Command response could not be provided|BMC initialization|SDR Repository in update/i,
    failure: 'TryAgain',
  },
  { says: /Insufficient privilege/i, failure: 'BadCredentials' },
  {
    says: /Invalid command|Invalid data field|Command not supported|Command Disabled|Command illegal|Request.*not found/i,
    failure: 'Refused',
  },
];

function failureOf(command: readonly string[], stderr: string): ProviderError {
  // What comes before the last line is said with -v of questions that ipmitool asks for itself.
  const said = stderr.trim().split('\n').at(-1)?.slice(0, 300) || 'it failed without a word';
  const refusal = REFUSALS.find(({ says }) => says.test(said));
  // A question whose answer was lost is asked again; an act may have happened.
  const isAct = command[0] === 'chassis' && command[1] === 'power';
  return new ProviderError(
    refusal?.failure ?? (isAct ? 'Unknown' : 'TryAgain'),
    `ipmitool ${command.join(' ')}: ${said}`,
  );
}

import { ProviderError } from '../provider.ts';

const LOOPBACK = /^(127\.[0-9.]+|localhost)(:|$)/;

/** An endpoint as the spec has it: `ecs.cn-beijing.aliyuncs.com`, or `http://127.0.0.1:PORT`. */
export function endpointUrl(endpoint: string): { url: string; host: string; protocol: 'HTTP' | 'HTTPS' } {
  const host = endpoint.replace(/^https?:\/\//, '');
  const protocol = endpoint.startsWith('http://') ? 'HTTP' : 'HTTPS';
  // Signatures hide the secret; what is asked and answered would stand open.
  if (protocol === 'HTTP' && !LOOPBACK.test(host))
    throw new ProviderError('BadCredentials', `${endpoint}: HTTP is used with loopback addresses only`, {
      reason: 'InsecureScheme',
    });
  return { url: `${protocol.toLowerCase()}://${host}`, host, protocol };
}

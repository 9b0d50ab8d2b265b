// One account in one region, through Alibaba Cloud's own SDK. It weighs 55 MB and half a second, so it is loaded with the
// first call. Its retries are off and its time limits are ours: guard.ts tries again, and knows what may be repeated.
import type Ecs from '@alicloud/ecs20140526';
import type { EcsSettings } from '../../../api/machine-provider.ts';
import { type Clock, MINUTE, SECOND } from '../../clock/clock.ts';
import type { OpenContext } from '../open.ts';
import { ProviderError } from '../provider.ts';
import { type CredentialSource, type Credentials, credentialSource } from './credentials.ts';
import { endpointUrl } from './endpoint.ts';
import { failureOf, type Kind } from './errors.ts';

/** Within the guard's 15 s for one look at a machine. Also the time to the first byte: the SDK has one for both. */
const TIMEOUT_MS = 10 * SECOND;

const loadSdk = () => import('@alicloud/ecs20140526');

export type Sdk = Awaited<ReturnType<typeof loadSdk>>;
export type Client = Ecs.default;

/** Rights that were seen to be there are believed in for so long. */
const RIGHTS_MS_MAX = 10 * MINUTE;

export class EcsApi {
  readonly clock: Clock;
  readonly regionId: string;
  readonly #settings: EcsSettings;
  readonly #limit: OpenContext['limit'];
  readonly #credentials: CredentialSource;
  /** By action: before this it is not called again. Throttling is by API, and shared with all else that uses the account. */
  readonly #pausedUntil = new Map<string, number>();
  #rightsUntil = 0;
  #client: { of: Credentials; client: Client } | undefined;

  constructor(settings: EcsSettings, { clock, secrets, limit }: OpenContext) {
    this.clock = clock;
    this.regionId = settings.regionId;
    this.#settings = settings;
    this.#limit = limit;
    this.#credentials = credentialSource(settings, { clock, secrets });
  }

  /**
   * The body of one call's answer. Throws ProviderError.
   * @param kind of an Act no answer means Unknown, of a Read TryAgain
   */
  call<T>(
    action: string,
    kind: Kind,
    send: (client: Client, sdk: Sdk) => Promise<{ body?: T }>,
    signal?: AbortSignal,
  ): Promise<T> {
    return this.#limit(async () => {
      this.#mustBeOpen(action);
      let accessKeyId: string | undefined;
      try {
        const credentials = await this.#credentials.get();
        accessKeyId = credentials.accessKeyId;
        const sdk = await loadSdk();
        const { body } = await send(await this.#clientOf(sdk, credentials), sdk);
        if (!body) throw new ProviderError('Broken', `ECS ${action}: the answer is empty`);
        return body;
      } catch (error) {
        const failure = failureOf(error, { action, kind, accessKeyId }, this.clock);
        if (failure.until !== undefined) this.#pausedUntil.set(action, failure.until);
        if (failure.failure === 'BadCredentials') this.#credentials.forget();
        throw failure;
      }
    }, signal);
  }

  /**
   * Throws where this account may not list instances. Until December 2025 ECS answered such a list with 200 and no
   * instances, which is what a region looks like whose machines are all gone: an empty answer is believed only after this.
   */
  async mustMayList(): Promise<void> {
    if (this.clock.now() < this.#rightsUntil) return;
    try {
      const request = { regionId: this.regionId, dryRun: true };
      await this.call('DescribeInstances', 'Read', (client, sdk) =>
        client.describeInstances(new sdk.DescribeInstancesRequest(request)),
      );
    } catch (error) {
      if (!(error instanceof ProviderError) || error.reason !== 'DryRunPassed') throw error;
    }
    this.#rightsUntil = this.clock.now() + RIGHTS_MS_MAX;
  }

  #mustBeOpen(action: string): void {
    const until = this.#pausedUntil.get(action) ?? 0;
    if (this.clock.now() < until)
      throw new ProviderError(
        'Throttled',
        `ECS ${action}: not called before ${new Date(until).toISOString()}`,
        { until },
      );
  }

  /** The same client as long as the credentials stay the same. */
  async #clientOf(sdk: Sdk, credentials: Credentials): Promise<Client> {
    const present = this.#client;
    if (present && isSame(present.of, credentials)) return present.client;
    const { $OpenApiUtil } = await import('@alicloud/openapi-core');
    const { regionId, endpoint } = this.#settings;
    const at = endpoint === undefined ? undefined : endpointUrl(endpoint);
    const config = new $OpenApiUtil.Config({
      ...credentials,
      regionId,
      protocol: at?.protocol ?? 'HTTPS',
      ...(at && { endpoint: at.host }),
      connectTimeout: TIMEOUT_MS,
      readTimeout: TIMEOUT_MS,
      userAgent: 'drover',
    });
    const client = new sdk.default.default(config);
    this.#client = { of: credentials, client };
    return client;
  }
}

function isSame(a: Credentials, b: Credentials): boolean {
  return (
    a.accessKeyId === b.accessKeyId &&
    a.accessKeySecret === b.accessKeySecret &&
    a.securityToken === b.securityToken
  );
}

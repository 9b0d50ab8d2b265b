// Lists of instances, to their last page.
import { retried } from '../guard.ts';
import { type Listed, ProviderError } from '../provider.ts';
import type { EcsApi } from './api.ts';
import { listed } from './instance.ts';

const PAGE = 100;
/** 200,000 instances: twice the largest fleet that Drover is for. */
const PAGES_MAX = 2000;

/**
 * Page by page, those that carry all these tags. What comes twice, since the list changed meanwhile, is told once.
 * A filter by tags sees 1,000 instances at most.
 */
export async function* instancesOf(
  api: EcsApi,
  tags: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): AsyncIterable<readonly Listed[]> {
  const seen = new Set<string>();
  const tag = Object.entries(tags).map(([key, value]) => ({ key, value }));
  let nextToken: string | undefined;
  for (let pages = 0; pages < PAGES_MAX; pages++) {
    const request = {
      regionId: api.regionId,
      maxResults: PAGE,
      ...(tag.length > 0 && { tag }),
      ...(nextToken && { nextToken }),
    };
    const body = await retried(api.clock, signal, () =>
      api.call(
        'DescribeInstances',
        'Read',
        (client, sdk) => client.describeInstances(new sdk.DescribeInstancesRequest(request)),
        signal,
      ),
    );
    const instances = body.instances?.instance;
    if (!instances) throw new ProviderError('Broken', 'ECS DescribeInstances: the answer holds no Instances');
    const page = instances.flatMap((instance) => {
      const id = instance.instanceId;
      if (!id || seen.has(id)) return [];
      seen.add(id);
      return [listed(instance, id)];
    });
    if (page.length > 0) yield page;
    if (!body.nextToken) {
      if (seen.size === 0) await api.mustMayList();
      return;
    }
    if (body.nextToken === nextToken)
      throw new ProviderError('Broken', 'ECS DescribeInstances: its next page is the same page');
    nextToken = body.nextToken;
  }
  throw new ProviderError('Broken', `ECS DescribeInstances: more than ${PAGES_MAX} pages`);
}

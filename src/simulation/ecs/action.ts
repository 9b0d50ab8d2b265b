import type { Cloud } from './cloud.ts';
import type { Parameters } from './parameters.ts';
import type { Account } from './signature.ts';

export interface Ask {
  account: Account;
  parameters: Parameters;
}

/** One API action: what it answers, without its RequestId; throws an ApiError. */
export type Action = (cloud: Cloud, ask: Ask) => object | Promise<object>;

// Parameters of one call, as they stand in its query: `Amount=3`, `InstanceId.1=i-1`, `Tag.1.Key=pool`.
import { ApiError } from './api-error.ts';

export class Parameters {
  readonly #values: ReadonlyMap<string, string>;

  constructor(values: ReadonlyMap<string, string>) {
    this.#values = values;
  }

  text(name: string): string | undefined {
    return this.#values.get(name) || undefined;
  }

  needed(name: string): string {
    const value = this.text(name);
    if (value === undefined)
      throw new ApiError(
        `MissingParameter`,
        `The input parameter "${name}" that is mandatory is not supplied.`,
      );
    return value;
  }

  flag(name: string): boolean {
    return this.text(name)?.toLowerCase() === 'true';
  }

  /** A whole number between the two. */
  count(name: string, least: number, most: number, otherwise: number): number {
    const value = this.text(name);
    if (value === undefined) return otherwise;
    const count = Number(value);
    if (!Number.isInteger(count) || count < least || count > most)
      throw new ApiError(
        'InvalidParameter',
        `The specified parameter "${name}" is not valid: ${least} to ${most}.`,
      );
    return count;
  }

  /** `NAME.1`, `NAME.2` … up to the first that is missing. */
  list(name: string, most: number): string[] {
    const values: string[] = [];
    for (let at = 1; this.#values.has(`${name}.${at}`); at++)
      values.push(this.#values.get(`${name}.${at}`) as string);
    if (values.length > most)
      throw new ApiError(
        'InvalidParameter',
        `The specified parameter "${name}" has more than ${most} values.`,
      );
    return values;
  }

  /** `InstanceId.1` …, of which there must be one. */
  instances(): string[] {
    const ids = this.list('InstanceId', 100);
    if (ids.length === 0) ids.push(this.needed('InstanceId'));
    return ids;
  }

  /** @param of what they belong to, with its point: `LaunchConfiguration.` */
  tags(of = ''): Map<string, string> {
    const tags = new Map<string, string>();
    for (let at = 1; this.#values.has(`${of}Tag.${at}.Key`); at++) {
      const key = this.#values.get(`${of}Tag.${at}.Key`) as string;
      if (at > 20)
        throw new ApiError('InvalidParameter', 'The specified parameter "Tag" has more than 20 values.');
      if (!key || /^(aliyun|acs:)|https?:\/\//.test(key))
        throw new ApiError('InvalidTagKey.Malformed', 'The specified Tag.n.Key is not valid.');
      tags.set(key, this.#values.get(`${of}Tag.${at}.Value`) ?? '');
    }
    return tags;
  }

  /** Equal for two calls that ask for the same. */
  print(): string {
    return JSON.stringify([...this.#values].sort());
  }
}

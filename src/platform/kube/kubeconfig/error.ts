/** A kubeconfig that cannot be used. The message names file, field, what is wrong and what is right. */
export class KubeconfigError extends Error {
  constructor(source: string, field: string, problem: string, cause?: unknown) {
    super(`kubeconfig ${source}: ${field === '' ? '' : `${field}: `}${problem}`, { cause });
    this.name = 'KubeconfigError';
  }
}

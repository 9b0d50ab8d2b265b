// What the ECS API refuses with: a code that clients tell apart, and the HTTP status that goes with it.

/** Statuses as the API's reference names them; 400 for what is not here. */
const STATUS: Readonly<Record<string, number>> = {
  'Forbidden.RAM': 403,
  IncorrectInstanceStatus: 403,
  'IncorrectInstanceStatus.Initializing': 403,
  'InvalidAccessKeyId.NotFound': 404,
  'InvalidInstanceId.NotFound': 404,
  'InvalidOperation.DeletionProtection': 403,
  LastTokenProcessing: 403,
  'OperationDenied.NoStock': 403,
  'QuotaExceed.ElasticQuota': 403,
  InternalError: 500,
  ServiceUnavailable: 503,
};

export class ApiError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
    this.status = STATUS[code] ?? 400;
  }
}

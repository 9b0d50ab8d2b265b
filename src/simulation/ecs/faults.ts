/** How the API goes wrong, switchable while it runs. */
export interface Faults {
  /** Does what was asked, then cuts the connection. */
  lostAnswers?: boolean;
  throttled?: boolean;
  /** 503 for all. */
  down?: boolean;
  /** Every AccessKey has been disabled. */
  badCredentials?: boolean;
  /** A gateway answers in HTML. */
  notJson?: boolean;
  /** Takes the call and never answers. */
  hang?: boolean;
  /** Milliseconds of the stand-in's clock before it looks at a call. */
  slow_ms?: number;
  /** The client's clock seems so far behind. */
  skew_ms?: number;
  /** A page of instances begins with so many of the page before. */
  overlap?: number;
  /** DescribeInstances without the right to it answers an empty list, as ECS did until December 2025. */
  emptyWithoutRights?: boolean;
  /** Only for calls of these actions; all without. */
  only?: (action: string, parameters: ReadonlyMap<string, string>) => boolean;
}

/** What is wrong at one place of a configuration. */
export type ConfigErrorCode =
  | "too_large" // the text is longer than we read
  | "syntax" // the text is not TOML
  | "unknown_key" // the schema has no such key
  | "missing" // a required key is absent
  | "invalid"; // a value is of the wrong type or outside what is allowed

/** One fault of a configuration. */
export interface ConfigIssue {
  /** What kind of fault. */
  readonly code: ConfigErrorCode;
  /** Dotted path of the key, e.g. `server.port` or `peers[1].host`; empty for the whole text. */
  readonly path: string;
  /** Line of the text, from 1; `undefined` for an absent key of the root and for an override. */
  readonly line: number | undefined;
  /** One line for people: place, path, what is allowed, what was got. */
  readonly message: string;
}

/** A configuration that its schema does not allow. */
export class ConfigError extends Error {
  /** `"ConfigError"`. */
  override readonly name = "ConfigError";
  /** The faults found, at most 20, in the order of the schema. */
  readonly issues: readonly ConfigIssue[];

  /**
   * Joins the messages of `issues`, one a line.
   *
   * @param more Number of faults found beyond `issues`.
   */
  constructor(issues: readonly ConfigIssue[], more = 0) {
    const lines = issues.map((issue) => issue.message);
    if (more > 0) lines.push(`… and ${more} more`);
    super(lines.join("\n"));
    this.issues = issues;
  }
}

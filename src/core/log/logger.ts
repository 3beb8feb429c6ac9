/** What an event's fields may hold; secrets have a type that prints `[secret]`. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where a part reports what happened. Event names are constants such as `htx.ticket_rejected`. */
export interface Logger {
  /** For whoever follows a single session. */
  debug(event: string, fields?: LogFields): void;
  /** Normal life of the program. */
  info(event: string, fields?: LogFields): void;
  /** Something an operator should look at. */
  warn(event: string, fields?: LogFields): void;
  /** Something failed that should not. */
  error(event: string, fields?: LogFields): void;
}

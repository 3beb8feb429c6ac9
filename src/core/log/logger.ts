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

/** Says nothing. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
};

/** A logger that gives `log` each event with `fields` before its own; a field of the same name overrides. */
export function withFields(log: Logger, fields: LogFields): Logger {
  return {
    debug: (event, own) => log.debug(event, { ...fields, ...own }),
    info: (event, own) => log.info(event, { ...fields, ...own }),
    warn: (event, own) => log.warn(event, { ...fields, ...own }),
    error: (event, own) => log.error(event, { ...fields, ...own }),
  };
}

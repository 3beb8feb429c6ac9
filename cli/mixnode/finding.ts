/** Something wrong with a configuration: an error keeps what it describes from running. */
export interface Finding {
  /** How bad it is. */
  readonly level: "error" | "warning";
  /** What it is. */
  readonly what: string;
}

/** What keeps it from running. */
export function error(what: string): Finding {
  return { level: "error", what };
}

/** What will not do as it seems to. */
export function warning(what: string): Finding {
  return { level: "warning", what };
}

/** The error that `check` throws, if it does. */
export function trial(check: () => void): Finding[] {
  try {
    check();
    return [];
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    return [error(cause.message)];
  }
}

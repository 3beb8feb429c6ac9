import type { Bytes } from "../../core/bytes/mod.ts";
import type { ClientHello } from "../client_hello.ts";
import { UtlsError } from "../error.ts";
import type { Scope } from "../extension_rule.ts";
import type { HelloKind } from "../hello_kind.ts";
import { compareUniform, count } from "../verify/counts.ts";

/** A hello that a browser was seen to send. */
export interface LearnedHello {
  /** What for; `retry`: after a HelloRetryRequest. */
  readonly kind: HelloKind | "retry";
  /** Which process of the browser sent it. */
  readonly process: number;
  /** Whether the CPU showed AES instructions to that process. */
  readonly aesHardware: boolean;
  /** Version of the record that carried it. */
  readonly recordVersion: number;
  /** What it says. */
  readonly hello: ClientHello;
}

/** What a browser sent, application data in the records of it, after a handshake with HTTP/2. */
export type LearnedStart = readonly Bytes[];

/** A draw is taken for uniform unless chance gives so odd a sample less often than this. */
export const MIN_P = 1e-6;

/** What to throw if hellos fit no rule that a profile can have. */
export function unexplained(what: string): UtlsError {
  return new UtlsError("capture", `No rule explains ${what}`);
}

/**
 * The value that all of `values` are equal to by `textOf`.
 *
 * @throws {UtlsError} `capture` if they differ or there are none.
 */
export function constantOf<T>(
  what: string,
  values: readonly T[],
  textOf: (value: T) => string = String,
): T {
  const texts = new Set(values.map(textOf));
  if (texts.size !== 1) throw unexplained(`${what}: ${texts.size} values`);
  return values[0]!;
}

/** A text that was seen in a process. */
export interface Seen {
  /** The process. */
  readonly process: number;
  /** What was seen. */
  readonly text: string;
}

/** For how long a draw holds, by what was drawn in each process. */
export function scopeOf(seen: readonly Seen[]): Scope {
  const textsOf = (of: readonly Seen[]) =>
    new Set(of.map(({ text }) => text)).size;
  if (textsOf(seen) <= 1) return "build";
  const processes = Map.groupBy(seen, (each) => each.process);
  return [...processes.values()].every((of) => textsOf(of) === 1)
    ? "process"
    : "connection";
}

/**
 * Checks that `draws` are uniform over `values` values.
 *
 * @throws {UtlsError} `capture` if chance would hardly draw them so.
 */
export function requireUniform(
  what: string,
  draws: readonly (string | number)[],
  values: number,
): void {
  const { p } = compareUniform(what, count(draws, (draw) => draw), values);
  if (p < MIN_P) throw unexplained(`${what}: not drawn evenly`);
}

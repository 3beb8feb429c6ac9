import { parseContactPlan, type PlannedContact } from "../../src/dtn/mod.ts";
import { CliError } from "../_error.ts";
import type { Context } from "../_main.ts";
import { readInput } from "../_read_input.ts";

/**
 * The contact plan in the file at `path`, or stdin.
 *
 * @throws {CliError} `failed` if it is none, with the line.
 */
export async function readPlan(
  path: string,
  epochMs: number,
  context: Pick<Context, "stdin">,
): Promise<PlannedContact[]> {
  const text = new TextDecoder().decode(await readInput(path, context));
  try {
    return parseContactPlan(text, epochMs);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new CliError("failed", `${path}: ${cause.message}`);
  }
}

/**
 * The time that `--flag` writes, in milliseconds since 1970: of RFC 3339, or + and seconds after `epochMs`.
 *
 * @throws {CliError} `usage`.
 */
export function timeOf(
  flag: string,
  text: string,
  epochMs: number | undefined,
): number {
  const ms =
    epochMs !== undefined && /^\+[0-9]{1,12}(?:\.[0-9]{1,3})?$/.test(text)
      ? epochMs + Number(text.slice(1)) * 1_000
      : Date.parse(text);
  if (Number.isFinite(ms)) return ms;
  throw new CliError(
    "usage",
    `--${flag} wants a time of RFC 3339${
      epochMs === undefined ? "" : ", or + and seconds"
    }: got ${text}`,
  );
}

import { CliError } from "./_error.ts";
import type { Context } from "./_main.ts";

/**
 * The folder of a program's state: the one that is configured, or the user's for `program`; made, mode 0700, if it is not there.
 *
 * @throws {CliError} `usage` if there is none, `failed` if it cannot be made.
 */
export function stateFolder(
  program: string,
  configured: string | undefined,
  { env }: Pick<Context, "env">,
): string {
  const path = configured ?? defaultState(program, env);
  try {
    Deno.mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new CliError("failed", `Cannot make the folder ${path}`, { cause });
  }
  return path;
}

function defaultState(program: string, env: Context["env"]): string {
  const xdg = env("XDG_STATE_HOME");
  const home = env("HOME");
  if (xdg !== undefined) return `${xdg}/betanet/${program}`;
  if (home !== undefined) return `${home}/.local/state/betanet/${program}`;
  throw new CliError("usage", "No place for state: HOME is not set", {
    hint: "Name a folder: --state, or state in the configuration.",
  });
}

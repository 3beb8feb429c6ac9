import { type RoleName, ROLES } from "./_roles.ts";

/** A program and its arguments, as `Deno.Command` takes them. */
export interface CommandLine {
  /** The executable. */
  readonly command: string;
  /** Its arguments. */
  readonly args: readonly string[];
}

/**
 * How the umbrella starts another process of itself that is `role`: from the sources and from a single file with that role's
 * permissions, from a file of `deno compile` with its own. The role `betanet` is the umbrella itself.
 */
export function commandOf(
  role: RoleName,
  args: readonly string[],
): CommandLine {
  const command = Deno.execPath();
  const own = role === "betanet" ? args : [role, ...args];
  if (Deno.build.standalone) return { command, args: own };
  const { pathname } = new URL(Deno.mainModule);
  const program = decodeURIComponent(pathname);
  return {
    command,
    args: ["run", "--quiet", ...ROLES[role].flags, program, ...own],
  };
}

import { parseDuration, parseSize } from "../../src/core/config/mod.ts";
import { simulation } from "../../src/dtn/mod.ts";
import { CliError } from "../_error.ts";
import { suggest } from "../_flags.ts";
import type { Context } from "../_main.ts";
import { flagAs, numberIn } from "./flag_as.ts";
import { readPlan } from "./read_plan.ts";

/** What can be simulated by name. */
export const SCENARIOS = {
  linear: simulation.linearScenario,
  star: simulation.starScenario,
  mesh: simulation.meshScenario,
} as const;

/** Flags that make scenarios, as they were given. */
export interface ScenarioFlags {
  /** Bundles a second. */
  readonly rate: string | undefined;
  /** Decides what is drawn. */
  readonly seed: string | undefined;
  /** Length of bundles, over a plan. */
  readonly size: string | undefined;
  /** How long they are of use, over a plan. */
  readonly lifetime: string | undefined;
}

/**
 * The scenarios that `names` name, all if none is.
 *
 * @throws {CliError} `usage`.
 */
export function scenariosOf(
  names: readonly string[],
  flags: ScenarioFlags,
): simulation.Scenario[] {
  const { size, lifetime } = flags;
  if (size !== undefined || lifetime !== undefined) {
    throw new CliError("usage", "--size and --lifetime want --plan");
  }
  const all = Object.keys(SCENARIOS);
  const seed = seedOf(flags);
  return (names.length > 0 ? names : all).map((name) => {
    if (!Object.hasOwn(SCENARIOS, name)) {
      throw new CliError("usage", `Want ${all.join(", ")}: got ${name}`, {
        hint: suggest(name, all),
      });
    }
    const make = SCENARIOS[name as keyof typeof SCENARIOS];
    return withRate(flags, (bundlesPerS) => make(bundlesPerS, seed));
  });
}

/**
 * Traffic over the contact plan at `path`.
 *
 * @throws {CliError} `usage`, or `failed` if it is no plan.
 */
export async function planned(
  path: string,
  flags: ScenarioFlags,
  context: Pick<Context, "operands" | "stdin">,
): Promise<simulation.Scenario> {
  if (context.operands.length > 0) {
    throw new CliError("usage", "Want a scenario or --plan, not both");
  }
  const seed = seedOf(flags) ?? 1;
  const size = flagAs("size", flags.size ?? "1kB", parseSize);
  const lifetimeMs = flags.lifetime === undefined
    ? Infinity
    : flagAs("lifetime", flags.lifetime, parseDuration);
  const plan = await readPlan(path, 0, context);
  if (new Set(plan.flatMap(({ from, to }) => [from, to])).size < 2) {
    throw new CliError("failed", `${path}: want two nodes or more`);
  }
  return withRate(
    flags,
    (bundlesPerS) =>
      simulation.planScenario(plan, { bundlesPerS, seed, size, lifetimeMs }),
  );
}

/** What `make` makes of `--rate`, which may be too much for it. */
function withRate<T>(
  { rate = "4" }: ScenarioFlags,
  make: (bundlesPerS: number) => T,
): T {
  return flagAs("rate", rate, (text) => make(numberIn(0, 1e6)(text)));
}

function seedOf({ seed }: ScenarioFlags): number | undefined {
  if (seed === undefined) return undefined;
  return flagAs("seed", seed, (text) => {
    const value = /^[0-9]{1,10}$/.test(text) ? Number(text) : 0;
    if (value >= 1 && value < 2 ** 32) return value;
    throw new RangeError("Want an integer from 1 to 4294967295");
  });
}

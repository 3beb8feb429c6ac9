import { MixClientError } from "../../src/mixnet/mod.ts";
import { CliError } from "../_error.ts";
import { type Command, command } from "../_main.ts";
import { countOf, durationOf } from "./client_arguments.ts";
import type { ConfigureClient } from "./configured_client.ts";

const USAGE = `
Usage: betanet-mixnode client ping [flags]

Sends loops through the mixnet back to ourselves, one after the other, and prints how long each took.

  --config <file>         the client's configuration (mixnode.toml)
  --count <n>             how many (4)
  --deadline <duration>   how long each may take (1m)
  --proofs <folder>       keep there what verify-delay needs for each packet's route

Example:
  betanet-mixnode client ping --count 10
`;

/** Times loops of a client that `configure` reads the configuration of. */
export function pingCommand(configure: ConfigureClient): Command {
  return command({
    usage: USAGE,
    flags: {
      config: "string",
      count: "string",
      deadline: "string",
      proofs: "string",
    },
    async run(flags, context) {
      const count = countOf(flags.count ?? "4");
      const deadlineMs = durationOf(flags.deadline ?? "1m");
      await using configured = await configure(
        flags.config,
        context,
        flags.proofs,
      );
      await using client = configured.connect();
      let lost = 0;
      for (let i = 0; i < count; i++) {
        try {
          const { signal } = context;
          const tookMs = await client.ping({ deadlineMs, signal });
          context.print({ tookMs }, `${tookMs.toFixed(0)} ms`);
        } catch (error) {
          if (!(error instanceof MixClientError)) throw error;
          lost++;
          context.print({ lost: true }, "lost");
        }
      }
      if (lost === count) throw new CliError("failed", "Every loop was lost");
    },
  });
}

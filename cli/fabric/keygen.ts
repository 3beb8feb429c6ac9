import { systemClock } from "../../src/core/async/mod.ts";
import { defaultProvider } from "../../src/core/crypto/mod.ts";
import { formatAgentRecord, signAgentRecord } from "../../src/fabric/mod.ts";
import { CliError } from "../_error.ts";
import { type Command, command } from "../_main.ts";
import { stateFolder } from "../_state_folder.ts";
import { AGENT_FILE_END, makeAgent } from "./agent_file.ts";

const USAGE = `
Usage: betanet-fabric keygen <agent>@<node> [--state <folder>]

Makes an agent: its key in <agent>@<node>.agent of the state, mode 0600, which is never replaced, and prints its record for others to
know it by: betanet-agent:… That record names no node: who has it can send the agent bundles. A running node publishes better ones.

  --state <folder>   where to put it

Examples:
  betanet-fabric keygen alice@n1
  betanet-fabric keygen clock@n2 --state ~/.betanet-n2 > clock.record
`;

/** How long the printed record is good. */
const LIFETIME_MS = 30 * 86_400_000;

/** Makes an agent. */
export const keygen: Command = command({
  usage: USAGE,
  flags: { state: "string" },
  operands: [1, 1],
  run({ state }, context) {
    const [name = ""] = context.operands;
    const folder = stateFolder("fabric", state, context);
    const path = `${folder}/${name.replaceAll("/", "_")}${AGENT_FILE_END}`;
    if (exists(path)) {
      throw new CliError("failed", `There is an agent in ${path} already`, {
        hint: "Move it away first, or choose another name or folder.",
      });
    }
    using agent = makeAgent(defaultProvider(), name, path);
    const nowMs = systemClock.wallTime();
    const record = formatAgentRecord(signAgentRecord(agent, {
      ...{ nodes: [], capabilities: [] },
      sequence: nowMs,
      issuedMs: nowMs,
      expiresMs: nowMs + LIFETIME_MS,
    }));
    context.note(`${name} is ${agent.id}, in ${path}`);
    context.print({ path, name, id: agent.id, record }, record);
    return Promise.resolve();
  },
});

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

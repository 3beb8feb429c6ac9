import { utf8 } from "../../src/core/bytes/mod.ts";
import { readTextFile, StorageError } from "../../src/core/storage/mod.ts";
import { CliError } from "../_error.ts";
import { command, type Program } from "../_main.ts";
import { table } from "../_table.ts";
import { askAgent, jsonIn } from "./ask_agent.ts";
import { APP_FLAGS, APP_USAGE } from "./settings.ts";

const USAGE = `
Usage: betanet-fabric peers <command> [flags]

Agents that a node knows. A name belongs to the first agent that was seen with it, or to the one it is pinned to: who claims it later is
known by id alone.

Commands:
  list  every agent that is known
  add   take an agent's record
  pin   give a name to an agent
  unpin take back that a name was given
  own   print the records of the node's own agents, for others

Examples:
  betanet-fabric peers add bob.record
  betanet-fabric peers own > alice.record
`;

interface Peer {
  readonly id: string;
  readonly name: string;
  readonly hasName: boolean;
  readonly isLive: boolean;
}

const NOTHING = new Uint8Array(0);

const list = command({
  usage: `
Usage: betanet-fabric peers list [flags]

Lists the agents that the node knows: whether each has its name, and whether a session with its node is open.

${APP_USAGE}

Example:
  betanet-fabric peers list --json
`,
  flags: APP_FLAGS,
  async run(flags, context) {
    const peers = jsonIn(await askAgent(flags, context)("/peers")) as Peer[];
    const text = table(
      ["name", "id", "has its name", "live"],
      peers.map(({ name, id, hasName, isLive }) => [
        ...[name, id, hasName ? "yes" : "no", isLive ? "yes" : "no"],
      ]),
    );
    context.print(peers, text);
  },
});

const add = command({
  usage: `
Usage: betanet-fabric peers add <record> [flags]

Takes an agent's record, betanet-agent:… or a file that holds it, as keygen and peers own print it; the node verifies it.

${APP_USAGE}

Example:
  betanet-fabric peers add bob.record
`,
  flags: APP_FLAGS,
  operands: [1, 1],
  async run(flags, context) {
    const [operand = ""] = context.operands;
    const text = operand.startsWith("betanet-agent:")
      ? operand
      : textIn(operand);
    const ask = askAgent(flags, context);
    for (const line of text.trim().split(/\s+/)) {
      const peer = jsonIn(await ask("/peers", utf8(line))) as Peer;
      context.print(peer, `${peer.name} is ${peer.id}`);
      if (peer.hasName) continue;
      context.note(`${peer.name} belongs to another agent: use the id`);
    }
  },
});

const pin = command({
  usage: `
Usage: betanet-fabric peers pin <agent>@<node> <id> [flags]

Gives a name to the agent of an id, whoever was seen with it. One that was given to another is taken back by unpin first.

${APP_USAGE}

Example:
  betanet-fabric peers pin bob@n2 kQm3…
`,
  flags: APP_FLAGS,
  operands: [2, 2],
  async run(flags, context) {
    const [name = "", id = ""] = context.operands;
    const ask = askAgent(flags, context);
    const pinned = jsonIn(await ask("/pin", NOTHING, { name, id }));
    context.print(pinned, `${name} is ${id}`);
  },
});

const unpin = command({
  usage: `
Usage: betanet-fabric peers unpin <agent>@<node> [flags]

Takes back that a name was given to an agent: it belongs to one that is known with it, or else to the next that is seen.

${APP_USAGE}

Example:
  betanet-fabric peers unpin bob@n2
`,
  flags: APP_FLAGS,
  operands: [1, 1],
  async run(flags, context) {
    const [name = ""] = context.operands;
    const ask = askAgent(flags, context);
    const left = jsonIn(await ask("/unpin", NOTHING, { name }));
    const { id } = left as { readonly id?: string };
    context.print(left, id ? `${name} is ${id}` : `${name} is nobody's`);
  },
});

const own = command({
  usage: `
Usage: betanet-fabric peers own [flags]

Prints the records of the node's own agents, one a line, for others to add.

${APP_USAGE}

Example:
  betanet-fabric peers own > alice.record
`,
  flags: APP_FLAGS,
  async run(flags, context) {
    const agents = jsonIn(await askAgent(flags, context)("/agents")) as {
      readonly name: string;
      readonly id: string;
      readonly record: string;
    }[];
    const { agent: wanted } = flags;
    for (const agent of agents) {
      const isWanted = wanted === undefined || wanted === agent.name ||
        wanted === agent.id;
      if (isWanted) context.print(agent, agent.record);
    }
  },
});

/** What is known of agents. */
export const peers: Program = {
  name: "betanet-fabric peers",
  usage: USAGE,
  commands: { list, add, pin, unpin, own },
};

function textIn(path: string): string {
  try {
    return readTextFile(path);
  } catch (cause) {
    if (!(cause instanceof StorageError)) throw cause;
    throw new CliError("failed", `Cannot read ${path}`, { cause });
  }
}

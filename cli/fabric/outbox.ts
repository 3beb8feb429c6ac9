import { command, type Program } from "../_main.ts";
import { table } from "../_table.ts";
import { askAgent, jsonIn } from "./ask_agent.ts";
import { APP_FLAGS, APP_USAGE } from "./settings.ts";

const USAGE = `
Usage: betanet-fabric outbox <command> [flags]

Messages of an agent that wait to be delivered, and those that were given up.

Commands:
  list     messages that are not settled
  dead     messages that were given up, and why
  give-up  give a message up
  retry    send a message at once that rests, or again as a new one that was given up

Examples:
  betanet-fabric outbox list
  betanet-fabric outbox dead --json
`;

interface Waiting {
  readonly id: string;
  readonly to: string;
  readonly priority: string;
  readonly attempts: number;
  readonly deadlineMs: number;
}

interface Dead {
  readonly id: string;
  readonly to: string;
  readonly type: string;
  readonly reason: string;
  readonly atMs: number;
}

const FLAGS = { limit: "string", ...APP_FLAGS } as const;
const LIMIT = `  --limit <n>        so many at most (1000)
${APP_USAGE}`;
const NOTHING = new Uint8Array(0);

const list = command({
  usage: `
Usage: betanet-fabric outbox list [flags]

Lists the messages of the agent that are not settled.

${LIMIT}

Example:
  betanet-fabric outbox list --limit 10
`,
  flags: FLAGS,
  async run(flags, context) {
    const { limit = "1000" } = flags;
    const ask = askAgent(flags, context);
    const body = await ask("/outbox", undefined, { limit });
    const waiting = jsonIn(body) as Waiting[];
    const text = table(
      ["message", "to", "priority", "attempts", "until"],
      waiting.map(({ id, to, priority, attempts, deadlineMs }) => [
        ...[id, to, priority, attempts, new Date(deadlineMs).toISOString()],
      ]),
    );
    context.print(waiting, text);
  },
});

const dead = command({
  usage: `
Usage: betanet-fabric outbox dead [flags]

Lists the messages of the agent that were given up, oldest first, and why.

${LIMIT}

Example:
  betanet-fabric outbox dead --json
`,
  flags: FLAGS,
  async run(flags, context) {
    const { limit = "1000" } = flags;
    const ask = askAgent(flags, context);
    const body = await ask("/dead", undefined, { limit });
    const letters = jsonIn(body) as Dead[];
    const text = table(
      ["message", "to", "type", "reason", "at"],
      letters.map(({ id, to, type, reason, atMs }) => [
        ...[id, to, type, reason, new Date(atMs).toISOString()],
      ]),
    );
    context.print(letters, text);
  },
});

const giveUp = command({
  usage: `
Usage: betanet-fabric outbox give-up <message id> [flags]

Gives a message up: it goes to the dead letters. The other agent may have it already.

${APP_USAGE}

Example:
  betanet-fabric outbox give-up 3f21c7…
`,
  flags: APP_FLAGS,
  operands: [1, 1],
  async run(flags, context) {
    const [id = ""] = context.operands;
    await askAgent(flags, context)("/give-up", NOTHING, { id });
    context.print({ id }, `${id} is given up`);
  },
});

const retry = command({
  usage: `
Usage: betanet-fabric outbox retry <message id> [flags]

Sends a message that rests at once; a notification or request that was given up is sent again, as a new message with as much time as it had.
Prints the id of what is sent; of a request that was given up, the answer behind it.

${APP_USAGE}

Example:
  betanet-fabric outbox retry 3f21c7…
`,
  flags: APP_FLAGS,
  operands: [1, 1],
  async run(flags, context) {
    const [id = ""] = context.operands;
    const body = await askAgent(flags, context)("/retry", NOTHING, { id });
    const sent = jsonIn(body) as { readonly id: string; value?: unknown };
    const value = "value" in sent ? ` ${JSON.stringify(sent.value)}` : "";
    context.print(sent, `${sent.id}${value}`);
  },
});

/** What waits, and what was given up. */
export const outbox: Program = {
  name: "betanet-fabric outbox",
  usage: USAGE,
  commands: { list, dead, "give-up": giveUp, retry },
};

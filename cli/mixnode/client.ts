import { encodeBase64Url, utf8 } from "../../src/core/bytes/mod.ts";
import {
  CLIENT_LIMITS,
  formatMixAddress,
  MixClientError,
} from "../../src/mixnet/mod.ts";
import { CliError } from "../_error.ts";
import { command, type Program } from "../_main.ts";
import { readInput } from "../_read_input.ts";
import { addressOf, countOf, durationOf, shown } from "./client_arguments.ts";
import { pingCommand } from "./client_ping.ts";
import type { ConfigureClient } from "./configured_client.ts";

const USAGE = `
Usage: betanet-mixnode client <command> [flags]

Commands:
  send     send a message, and with --request print the reply
  recv     print messages as they come
  ping     time loops through the mixnet back to ourselves
  address  print where we get messages

  --config <file>   the client's configuration (mixnode.toml)

Examples:
  betanet-mixnode client address
  echo hello | betanet-mixnode client send betanet-mix:…
  betanet-mixnode client recv --count 1
`;

const SEND_USAGE = `
Usage: betanet-mixnode client send <address> [<file>|-] [flags]

Sends a file, or what stdin holds, and ends when it is in the recipient's mailbox.

  --config <file>         the client's configuration (mixnode.toml)
  --request               enclose ways back, and print the reply
  --deadline <duration>   how long it may take (5m)
  --proofs <folder>       keep there what verify-delay needs for each packet's route

Example:
  echo hello | betanet-mixnode client send --request betanet-mix:…
`;

const RECV_USAGE = `
Usage: betanet-mixnode client recv [flags]

Prints each message as a line: as text if it is UTF-8, else in base64url; with --json as {"bytes":…,"canReply":…}.

  --config <file>   the client's configuration (mixnode.toml)
  --count <n>       end after so many
  --reply <text>    reply with this to whoever wants a reply

Example:
  betanet-mixnode client recv --count 1 --reply thanks
`;

/** How long `send` waits until the other side knows that its reply came, in milliseconds. */
const DRAIN_MS = 10_000;

/** The commands of a client, for a configuration that `configure` reads. */
export function clientProgram(configure: ConfigureClient): Program {
  const send = command({
    usage: SEND_USAGE,
    flags: {
      config: "string",
      request: "boolean",
      deadline: "string",
      proofs: "string",
    },
    operands: [1, 2],
    async run(flags, context) {
      const [to = "", path = "-"] = context.operands;
      const address = addressOf(to);
      const deadlineMs = durationOf(flags.deadline ?? "5m");
      const bytes = new Uint8Array(
        await readInput(path, context, CLIENT_LIMITS.maxMessageBytes),
      );
      await using configured = await configure(
        flags.config,
        context,
        flags.proofs,
      );
      await using client = configured.connect();
      const options = { deadlineMs, signal: context.signal };
      if (flags.request) {
        const reply = await client.request(address, bytes, options)
          .catch(explain);
        context.print({ reply: encodeBase64Url(reply) }, shown(reply));
        // The other side learns that its reply is here.
        return await client.close({ drainMs: DRAIN_MS });
      }
      await client.send(address, bytes, options).catch(explain);
      context.note(`Sent ${bytes.length} bytes`);
    },
  });
  const recv = command({
    usage: RECV_USAGE,
    flags: { config: "string", count: "string", reply: "string" },
    async run(flags, context) {
      let left = flags.count === undefined ? Infinity : countOf(flags.count);
      await using configured = await configure(flags.config, context);
      await using client = configured.connect();
      const onAbort = () => void client.close({ drainMs: 0 });
      context.signal.addEventListener("abort", onAbort, { once: true });
      for await (const message of client) {
        const { bytes, reply } = message;
        const canReply = reply !== undefined;
        context.print(
          { bytes: encodeBase64Url(bytes), canReply },
          shown(bytes),
        );
        if (flags.reply !== undefined) {
          // The next message does not wait for a requester who is gone.
          void reply?.(utf8(flags.reply)).catch(({ message }) =>
            context.note(`Reply not taken: ${message}`)
          );
        }
        message.taken();
        if (--left === 0) {
          // Whoever asked lately may take a minute to have the reply.
          return flags.reply === undefined ? undefined : await client.close();
        }
      }
      context.signal.throwIfAborted();
    },
  });
  const address = command({
    usage: `
Usage: betanet-mixnode client address [--config <file>]

Prints where we get messages.

Example:
  betanet-mixnode client address --config alice.toml
`,
    flags: { config: "string" },
    async run(flags, context) {
      await using configured = await configure(flags.config, context);
      const text = formatMixAddress(configured.address);
      context.print({ address: text }, text);
    },
  });
  return {
    name: "betanet-mixnode client",
    usage: USAGE,
    commands: { send, recv, ping: pingCommand(configure), address },
  };
}

function explain(cause: unknown): never {
  if (!(cause instanceof MixClientError)) throw cause;
  throw new CliError("failed", cause.message, { cause: cause.cause });
}

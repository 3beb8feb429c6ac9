import { Deadline, systemClock } from "../../src/core/async/mod.ts";
import { encodeHex, equal, utf8 } from "../../src/core/bytes/mod.ts";
import { defaultProvider } from "../../src/core/crypto/mod.ts";
import { Eid, payloadOf } from "../../src/dtn/mod.ts";
import { APP_FLAGS } from "../_app_section.ts";
import { CliError } from "../_error.ts";
import { type Command, command, type Context } from "../_main.ts";
import { countOf, durationOf } from "../mixnode/client_arguments.ts";
import { APP_USAGE, appConfig } from "./app_flags.ts";
import { textOf } from "../_ask_app.ts";
import { askNode } from "./ask_node.ts";
import { NodeSocket } from "./node_socket.ts";

const USAGE = `
Usage: betanet-dtn ping <endpoint> [flags]

Sends bundles to an endpoint that echoes, dtn://node/echo or ipn:N.7, one after the other, and prints how long each took to come back.

  --count <n>             how many (4)
  --deadline <duration>   how long each may take (10s)
${APP_USAGE}

Examples:
  betanet-dtn ping dtn://n2/echo
`;

const MAX_SERVICE = 2 ** 31;

/** Times round trips. */
export const ping: Command = command({
  usage: USAGE,
  flags: { count: "string", deadline: "string", ...APP_FLAGS },
  operands: [1, 1],
  async run(flags, context) {
    const config = appConfig(flags);
    const ask = askNode(config, context);
    const count = countOf(flags.count ?? "4");
    const deadlineMs = durationOf(flags.deadline ?? "10s");
    const [destination = ""] = context.operands;
    const nodeId = Eid.parse(textOf(await ask("/status/nodeid")));
    const source = ownEndpoint(nodeId);
    const query = new URLSearchParams({
      ...{ dst: destination, src: source, lifetime: `${deadlineMs}` },
    });
    await using socket = await NodeSocket.open(source, config, context);
    let lost = 0;
    for (let i = 0; i < count; i++) {
      const payload = utf8(
        `ping ${i} ${encodeHex(defaultProvider().random(8))}`,
      );
      const startMs = systemClock.now();
      textOf(await ask(`/send?${query}`, payload));
      const isBack = await comesBack(socket, payload, deadlineMs, context);
      const tookMs = systemClock.now() - startMs;
      if (isBack) context.print({ tookMs }, `${tookMs.toFixed(1)} ms`);
      else {
        lost++;
        context.print({ lost: true }, "lost");
      }
    }
    if (lost === count) throw new CliError("failed", "Nothing came back");
  },
});

/** Whether a bundle with `payload` comes within `ms`; others are late. */
async function comesBack(
  socket: NodeSocket,
  payload: Uint8Array,
  ms: number,
  { signal }: Context,
): Promise<boolean> {
  using deadline = new Deadline(systemClock, ms, { signal });
  try {
    for (;;) {
      const bundle = await socket.next(deadline);
      await socket.acknowledge(bundle);
      if (equal(payloadOf(bundle), payload)) return true;
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error !== deadline.signal.reason) throw error;
    return false;
  }
}

function ownEndpoint(nodeId: Eid): string {
  const number = new DataView(defaultProvider().random(4).buffer).getUint32(0);
  return nodeId.scheme === "ipn"
    ? `${
      Eid.ipn(nodeId.allocator, nodeId.nodeNumber, 1_000 + number % MAX_SERVICE)
    }`
    : `${nodeId}ping-${number.toString(16)}`;
}

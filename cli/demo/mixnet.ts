import { delay, systemClock } from "../../src/core/async/mod.ts";
import { equal } from "../../src/core/bytes/mod.ts";
import { defaultProvider } from "../../src/core/crypto/mod.ts";
import type { MixClient, MixMessage } from "../../src/mixnet/mod.ts";
import { CliError } from "../_error.ts";
import type { Context } from "../_main.ts";
import { table } from "../_table.ts";
import { configureClient } from "../mixnode/configure_client.ts";
import {
  CLIENT_RATE,
  EPOCH_S,
  MEAN_DELAY_MS,
  startMixNetwork,
} from "./mix_network.ts";
import { type NodeFigures, nodeFigures } from "./node_figures.ts";
import { step } from "./step.ts";

/** Of the message, random; the reply is its bytes backwards. */
const MESSAGE_BYTES = 2_000;
/** How long cover fills the pools before they are looked at. */
const FILL_MS = 4_000;

/** What a run of the mixnet came to. */
export interface MixnetFigures {
  /** Bytes of the message, and of the reply. */
  readonly bytes: number;
  /** Until Bob had the message. */
  readonly messageMs: number;
  /** Until Alice had his reply. */
  readonly replyMs: number;
  /** Half of the loops through all layers took no longer. */
  readonly loopMs: number;
  /** What the nodes measured. */
  readonly nodes: readonly NodeFigures[];
}

/** Shows an anonymous message and its reply, and what the nodes that mixed them measured. */
export async function runMixnet(context: Context): Promise<MixnetFigures> {
  const { note, signal } = context;
  note(
    `This starts an authority, two gateways and three mixes on this machine, whose epochs last ${EPOCH_S} s and whose hops delay ` +
      `packets by ${MEAN_DELAY_MS} ms on average, and sends a message and its reply through them.`,
  );
  await using network = await startMixNetwork(context);
  const [forAlice, forBob] = [
    await network.client("alice", 0),
    await network.client("bob", 1),
  ];
  await using alice = await configureClient(forAlice, context);
  await using bob = await configureClient(forBob, context);
  await using sender = alice.connect();
  await using recipient = bob.connect();
  await delay(systemClock, FILL_MS, { signal });
  const rate = CLIENT_RATE.packets + CLIENT_RATE.loops;
  step(
    context,
    `Alice and Bob send ${rate} packets a second, all cover so far`,
  );
  const { messageMs, replyMs } = await exchange(
    sender,
    recipient,
    bob.address,
    context,
  );
  const loopMs = Math.round(await sender.ping({ signal }));
  step(context, `a loop of Alice's through all layers took ${loopMs} ms`);
  const nodes: NodeFigures[] = [];
  for (const node of network.nodes) nodes.push(await nodeFigures(node, signal));
  step(context, "every packet is accounted for at every node");
  return { bytes: MESSAGE_BYTES, messageMs, replyMs, loopMs, nodes };
}

/** `figures` for a person. */
export function mixnetTable({ nodes }: MixnetFigures): string {
  return table(
    [
      "node",
      "packets",
      "dropped",
      "mean delay ms",
      "pool",
      "entropy bits",
      "set size",
    ],
    nodes.map((each) => [
      each.name,
      each.packets,
      each.dropped,
      each.delayMs,
      each.pool,
      each.entropyBits,
      each.setSize,
    ]),
  );
}

async function exchange(
  sender: MixClient,
  recipient: MixClient,
  to: Parameters<MixClient["request"]>[0],
  context: Context,
): Promise<Pick<MixnetFigures, "messageMs" | "replyMs">> {
  const { signal } = context;
  const message = defaultProvider().random(MESSAGE_BYTES);
  const startMs = systemClock.now();
  const passed = () => Math.round(systemClock.now() - startMs);
  const replied = sender.request(to, message, { signal });
  replied.catch(() => {}); // awaited below
  const arrived = await firstOf(recipient);
  const messageMs = passed();
  requireEqual("message", arrived.bytes, message);
  step(
    context,
    `Bob got Alice's ${MESSAGE_BYTES} bytes after ${messageMs} ms, and nothing that says whose they are`,
  );
  const answer = message.toReversed();
  const answering = arrived.reply!(answer);
  requireEqual("reply", await replied, answer);
  const replyMs = passed();
  await answering;
  step(context, `Alice got Bob's reply after ${replyMs} ms, on her ways back`);
  return { messageMs, replyMs };
}

async function firstOf(client: MixClient): Promise<MixMessage> {
  for await (const message of client) {
    message.taken();
    return message;
  }
  throw new CliError("failed", "Bob's client ended without a message");
}

function requireEqual(what: string, got: Uint8Array, want: Uint8Array): void {
  if (equal(got, want)) return;
  throw new CliError("failed", `The ${what} is not what was sent`);
}

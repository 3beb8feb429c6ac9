/**
 * Runs in Chromium: two client cores with a gateway each and a mix, of which one sends the message at `/case`, and the other replies;
 * posts what they got to `/result`.
 *
 * @module
 */
import { nobleProvider as crypto } from "../../src/core/crypto/mod.ts";
import { CoreWorld } from "../mixnet/client/_core_world.ts";

/** What Deno gives the page. */
export interface ClientPageCase {
  readonly message: string;
  readonly reply: string;
}

/** What comes of it. */
export interface ClientPageResult {
  readonly userAgent: string;
  /** The message, as the other got it. */
  readonly got: string;
  readonly reply: string;
  /** Whether the sender knows that the message was stored, and the replier that its reply came. */
  readonly sent: boolean;
  readonly replied: boolean;
  readonly pongs: number;
  /** That were never acknowledged. */
  readonly queuedPackets: number;
  /** Unwrapped. */
  readonly packets: number;
}

const given: ClientPageCase = await (await fetch("/case")).json();
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (text: string) => new TextEncoder().encode(text);

const world = new CoreWorld(crypto);
const [alice, bob] = [world.client(), world.client()];
const deadlineMs = 600_000;
const wantsReply = true;
alice.core.send(
  bob.address,
  bytes(given.message),
  { deadlineMs, wantsReply },
  world.at,
);
alice.core.ping();
const events = { alice: alice.events(), bob: bob.events() };
for (let i = 0; i < 30; i++) {
  world.step();
  events.alice.push(...alice.events());
  for (const event of bob.events()) {
    events.bob.push(event);
    if (event.kind !== "message") continue;
    bob.core.taken(event.key, world.at);
    bob.core.reply(event.key, bytes(given.reply), world.at);
  }
}
const of = <T extends string>(kind: T) =>
  [...events.alice, ...events.bob].flatMap((event) =>
    event.kind === kind ? [event as Extract<typeof event, { kind: T }>] : []
  );
const result: ClientPageResult = {
  userAgent: navigator.userAgent,
  got: of("message").map(({ bytes }) => text(bytes)).join(),
  reply: of("reply").map(({ bytes }) => text(bytes)).join(),
  sent: of("sent").length === 1,
  replied: of("replied").length === 1,
  pongs: of("pong").length,
  queuedPackets: alice.core.counts.queuedPackets,
  packets: world.packets,
};
await fetch("/result", { method: "POST", body: JSON.stringify(result) });

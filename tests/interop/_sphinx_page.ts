/**
 * Runs in Chromium: takes the packet at `/case` through its hops with `nobleProvider`, answers its SURB, makes a packet and a
 * SURB of its own, and posts all of it to `/result`.
 *
 * @module
 */
import { nobleProvider as crypto } from "../../src/core/crypto/mod.ts";
import { COMPACT } from "../../src/mixnet/sphinx/geometry.ts";
import { createPacket, unwrapPacket } from "../../src/mixnet/sphinx/packet.ts";
import { recoverMessage } from "../../src/mixnet/sphinx/payload.ts";
import {
  createSurb,
  recoverReply,
  replyPacket,
} from "../../src/mixnet/sphinx/surb.ts";
import { vrfProve } from "../../src/mixnet/vrf/ecvrf.ts";

/** What Deno gives the page, in hex. */
export interface PageCase {
  readonly packet: string;
  readonly privateKeys: readonly string[];
  readonly publicKeys: readonly string[];
  readonly destination: string;
  readonly identifier: string;
  readonly message: string;
  /** To be answered with the message. */
  readonly surb: string;
}

/** What the page makes of it, in hex. */
export interface PageResult {
  readonly userAgent: string;
  /** The case's packet behind each hop, then its payload. */
  readonly trace: readonly string[];
  readonly tags: readonly string[];
  readonly recovered: string;
  /** A packet that the page made. */
  readonly packet: string;
  /** The answer by the case's SURB. */
  readonly reply: string;
  /** What came by a SURB of the page's own. */
  readonly answered: string;
  /** The VRF proofs of the message under the first private key. */
  readonly proofs: readonly string[];
}

const given: PageCase = await (await fetch("/case")).json();
const hex = (text: string) => Uint8Array.fromHex(text);
const privateKeys = given.privateKeys.map(hex);
const message = hex(given.message);
const route = {
  route: given.publicKeys.map(hex).map((publicKey) => ({
    address: publicKey,
    publicKey,
    delayNs: 1_000_000,
  })),
  destination: hex(given.destination),
  identifier: hex(given.identifier),
};

const { surb, recovery } = createSurb(crypto, route);
const { packet: ownReply } = replyPacket(crypto, COMPACT, surb, message);
const { trace, tags } = travel(hex(given.packet));
const result: PageResult = {
  userAgent: navigator.userAgent,
  trace: trace.map((bytes) => bytes.toHex()),
  tags,
  recovered: recoverMessage(trace.at(-1)!).toHex(),
  packet: createPacket(crypto, COMPACT, route, message).toHex(),
  reply: replyPacket(crypto, COMPACT, hex(given.surb), message).packet.toHex(),
  answered: recoverReply(crypto, recovery, travel(ownReply).trace.at(-1)!)
    .toHex(),
  proofs: (["TAI", "ELL2"] as const).map((suite) =>
    vrfProve(crypto, suite, privateKeys[0]!, message).toHex()
  ),
};
await fetch("/result", { method: "POST", body: JSON.stringify(result) });

function travel(packet: Uint8Array) {
  const trace: Uint8Array[] = [];
  const tags: string[] = [];
  for (const key of privateKeys) {
    const hop = unwrapPacket(crypto, COMPACT, key, trace.at(-1) ?? packet);
    trace.push(hop.kind === "forward" ? hop.packet : hop.payload);
    tags.push(hop.replayTag.toHex());
  }
  return { trace, tags };
}

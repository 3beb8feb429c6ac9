import { assert, assertEquals, assertMatch } from "@std/assert";
import { nodeProvider as crypto } from "../../src/core/crypto/mod.ts";
import {
  COMPACT,
  createPacket,
  createSurb,
  recoverMessage,
  recoverReply,
  unwrapPacket,
  vrfProve,
} from "../../src/mixnet/mod.ts";
import { drawRoute } from "../mixnet/sphinx/_draw.ts";
import { inChromium } from "./_chromium_page.ts";
import type { ClientPageResult } from "./_client_page.ts";
import { isAvailable } from "./_peers.ts";
import type { PageCase, PageResult } from "./_sphinx_page.ts";

const ignore = !isAvailable("chromium", ["--version"], "sphinx_chromium_test");
const HOPS = 5;

Deno.test({
  name:
    "Sphinx and VRF without Deno or Node: Chromium makes and unwraps packets and SURBs, and proves, as Deno does",
  ignore,
  async fn() {
    const drawn = drawRoute(HOPS);
    const { privateKeys, destination, identifier } = drawn;
    const message = crypto.random(1_000);
    const packet = createPacket(crypto, COMPACT, drawn, message);
    const { surb, recovery } = createSurb(crypto, drawn);
    const given: PageCase = {
      packet: packet.toHex(),
      privateKeys: privateKeys.map((key) => key.toHex()),
      publicKeys: drawn.route.map(({ publicKey }) => publicKey.toHex()),
      destination: destination.toHex(),
      identifier: identifier.toHex(),
      message: message.toHex(),
      surb: surb.toHex(),
    };
    const result = await inChromium<PageResult>("./_sphinx_page.ts", given);
    assertMatch(result.userAgent, /Chrome\//);

    const { trace, tags } = travel(privateKeys, packet);
    assertEquals(result.trace, trace.map((bytes) => bytes.toHex()));
    assertEquals(result.tags, tags);
    assertEquals(result.recovered, message.toHex());
    assertEquals(result.answered, message.toHex());

    for (const [i, suite] of (["TAI", "ELL2"] as const).entries()) {
      const proof = vrfProve(crypto, suite, privateKeys[0]!, message);
      assertEquals(result.proofs[i], proof.toHex());
    }

    const theirs = travel(privateKeys, Uint8Array.fromHex(result.packet));
    assertEquals(recoverMessage(theirs.trace.at(-1)!), message);
    const reply = travel(privateKeys, Uint8Array.fromHex(result.reply));
    assertEquals(
      recoverReply(crypto, recovery, reply.trace.at(-1)!),
      message,
    );
  },
});

Deno.test({
  name:
    "the client's core without Deno or Node: two clients in Chromium send a message and get its reply",
  ignore,
  async fn() {
    const result = await inChromium<ClientPageResult>("./_client_page.ts", {
      message: "?".repeat(4_000),
      reply: "!".repeat(9_000),
    });
    assertMatch(result.userAgent, /Chrome\//);
    assertEquals(result.got, "?".repeat(4_000));
    assertEquals(result.reply, "!".repeat(9_000));
    assertEquals(result.sent, false); // a request ends with its reply alone
    assertEquals(result.replied, true);
    assertEquals(result.queuedPackets, 0);
    assert(result.packets > 30, `${result.packets}`);
    assert(result.pongs === 1);
  },
});

/** The packet behind each hop, then the payload; and the replay tags. */
function travel(privateKeys: readonly Uint8Array[], packet: Uint8Array) {
  const trace: Uint8Array[] = [];
  const tags: string[] = [];
  for (const key of privateKeys) {
    const hop = unwrapPacket(crypto, COMPACT, key, trace.at(-1) ?? packet);
    trace.push(hop.kind === "forward" ? hop.packet : hop.payload);
    tags.push(hop.replayTag.toHex());
  }
  return { trace, tags };
}

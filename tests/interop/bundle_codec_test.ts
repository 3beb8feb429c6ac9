import { assertEquals } from "@std/assert";
import { decodeHex } from "../../src/core/bytes/mod.ts";
import {
  type Bundle,
  decodeBundle,
  encodeBundle,
  payloadOf,
} from "../../src/dtn/mod.ts";
import { generator } from "../htx/_mutation.ts";
import { buildCrate, LinePeer } from "./_line_peer.ts";
import { isAtLeast } from "./_peers.ts";
import { hasPyd3tn, startPyd3tn } from "./_pyd3tn.ts";
import { randomBundle, type RandomBundleLimits } from "./_random_bundle.ts";

const BUNDLES = 100_000;
const BATCH = 5_000;

Deno.test({
  name:
    `bundles: the crate bp7 reads ${BUNDLES} of ours, and we read ${BUNDLES} of its, to the same bytes`,
  ignore: !isAtLeast("cargo --version", "1.85", "bundle_codec_test"),
  async fn() {
    await using peer = new LinePeer(await buildCrate("bp7_peer"));
    await agree(peer, {
      timeLimitMs: 2 ** 53,
      allocators: false,
      otherTypes: true,
    });
  },
});

Deno.test({
  name:
    `bundles: pyd3tn reads ${BUNDLES} of ours, and we read ${BUNDLES} of its, to the same bytes`,
  ignore: !hasPyd3tn("bundle_codec_test"),
  async fn() {
    await using peer = startPyd3tn();
    await agree(peer, {
      timeLimitMs: 2 ** 47,
      allocators: true,
      otherTypes: false,
    });
  },
});

async function agree(
  peer: LinePeer,
  limits: RandomBundleLimits,
): Promise<void> {
  const random = generator(61);
  for (let done = 0; done < BUNDLES; done += BATCH) {
    const ours = Array.from(
      { length: BATCH },
      () => randomBundle(random, limits),
    );
    const requests = ours.map((each) => `read ${encodeBundle(each).toHex()}`);
    for (const [i, words] of (await peer.ask(requests)).entries()) {
      assertSame(ours[i]!, words, requests[i]!);
    }
    const theirs = await peer.ask([`random ${done} ${BATCH}`], BATCH);
    for (const words of theirs) {
      const bytes = decodeHex(words.at(-1)!);
      const bundle = decodeBundle(bytes);
      assertEquals(encodeBundle(bundle), bytes);
      assertSame(bundle, words, words.at(-1)!);
    }
  }
}

/** `words` say of `bundle` what is in it, and end with its bytes. */
function assertSame(bundle: Bundle, words: string[], context: string): void {
  const { primary } = bundle;
  const expected = [
    "ok",
    `${primary.destination}`,
    `${primary.source}`,
    `${primary.reportTo}`,
    `${primary.creation.timeMs}`,
    `${primary.creation.sequence}`,
    `${primary.lifetimeMs}`,
    payloadOf(bundle).toHex(),
    encodeBundle(bundle).toHex(),
  ];
  if (words.join(" ") !== expected.join(" ")) {
    assertEquals(words, expected, context);
  }
}

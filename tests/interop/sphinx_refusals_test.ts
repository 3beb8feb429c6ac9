import { assert, assertEquals } from "@std/assert";
import { concat } from "../../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../../src/core/crypto/mod.ts";
import {
  COMPACT,
  createPacket,
  recoverMessage,
  SphinxError,
  unwrapPacket,
} from "../../src/mixnet/mod.ts";
import { below, drawRoute } from "../mixnet/sphinx/_draw.ts";
import {
  forgedHeader,
  sealedHeader,
  slotBytes,
} from "../mixnet/sphinx/_forged_header.ts";
import { hasCargo, SphinxCrate } from "./_sphinx_crate.ts";

Deno.test({
  name: "sphinx refuses what Nym's crate sphinx-packet refuses, and more",
  ignore: !hasCargo("sphinx_refusals_test"),
  async fn(t) {
    await using crate = await SphinxCrate.start();
    await t.step("both refuse the same changed packets", () => mutate(crate));
    await t.step(
      "points of low order, which it takes and we do not",
      () => weakPoints(crate),
    );
    await t.step(
      "points in other forms are the same to both",
      () => otherForms(crate),
    );
    await t.step(
      "what a sender may write under a right MAC",
      () => forged(crate),
    );
  },
});

/** Flips a bit anywhere: both must refuse, or give the same; a changed payload must not be recovered. */
async function mutate(crate: SphinxCrate): Promise<void> {
  const drawn = drawRoute(1);
  const [key] = drawn.privateKeys;
  const packet = createPacket(crypto, COMPACT, drawn, crypto.random(1_000));
  const changed = Array.from({ length: 3_000 }, (_, i) => {
    const at = i < 348 ? i : below(packet.length);
    return packet.with(at, packet[at]! ^ 1 << below(8));
  });
  const answers = await crate.ask(
    changed.map((bytes) => `unwrap ${key!.toHex()} ${bytes.toHex()}`),
  );
  const counts = { refused: 0, destroyed: 0, same: 0 };
  for (const [i, bytes] of changed.entries()) {
    const [theirs, , , payload] = answers[i]!;
    try {
      const ours = unwrapPacket(crypto, COMPACT, key!, bytes);
      assert(ours.kind === "final");
      assertEquals([theirs, payload], ["final", ours.payload.toHex()]);
      if (bytes.subarray(348).every((byte, j) => byte === packet[348 + j])) {
        counts.same++; // bit 255 of alpha, which X25519 ignores
        continue;
      }
      counts.destroyed++;
      assertEquals(
        outcome(() => recoverMessage(ours.payload).toHex()),
        "payload",
      );
    } catch (error) {
      if (!(error instanceof SphinxError)) throw error;
      assertEquals([error.code, theirs], ["mac", "error"]);
      counts.refused++;
    }
  }
  assert(
    counts.refused >= 340 && counts.destroyed >= 2_000,
    JSON.stringify(counts),
  );
}

/**
 * The secret of a point of low order is zero, so that anybody can make its header. The crate, whose X25519 does not refuse it,
 * takes such a packet, and we do not: the one difference.
 */
async function weakPoints(crate: SphinxCrate): Promise<void> {
  const [key] = drawRoute(1).privateKeys;
  const order8 =
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800";
  const one = new Uint8Array(32).with(0, 1);
  for (const alpha of [one.with(0, 0), one, Uint8Array.fromHex(order8)]) {
    const plain = slotBytes({ flag: 2 });
    const packet = concat(
      sealedHeader(alpha, new Uint8Array(32), plain),
      crypto.random(COMPACT.payloadLength),
    );
    const [answer] = await crate.ask([
      `unwrap ${key!.toHex()} ${packet.toHex()}`,
    ]);
    assertEquals(answer!.slice(0, 2), [
      "final",
      plain.subarray(4, 36).toHex(),
    ]);
    assertEquals(
      outcome(() => unwrapPacket(crypto, COMPACT, key!, packet).kind),
      "weak_point",
    );
  }
}

/** u, u + p, and both with bit 255 set: the same packet to both. */
async function otherForms(crate: SphinxCrate): Promise<void> {
  const [key] = drawRoute(1).privateKeys;
  const nine = new Uint8Array(32).with(0, 9);
  const shared = crypto.x25519.sharedSecret(key!, nine);
  const nineAndP = new Uint8Array(32).fill(0xff).with(0, 0xf6).with(31, 0x7f);
  const payload = crypto.random(COMPACT.payloadLength);
  const plain = slotBytes({ delayNs: 15_000_000n });
  const results = new Set<string>();
  for (const form of [nine, nineAndP]) {
    for (const alpha of [form, form.with(31, form[31]! | 0x80)]) {
      const packet = concat(sealedHeader(alpha, shared, plain), payload);
      const [answer] = await crate.ask([
        `unwrap ${key!.toHex()} ${packet.toHex()}`,
      ]);
      const ours = unwrapPacket(crypto, COMPACT, key!, packet);
      assert(ours.kind === "forward");
      assertEquals(answer, [
        "forward",
        ours.nextAddress.toHex(),
        `${ours.delayNs}`,
        ours.packet.toHex(),
      ]);
      results.add(ours.packet.toHex());
    }
  }
  assertEquals(results.size, 1);
}

/** Versions, flags and delays that a sender may write under a right MAC: the crate takes every version and delay. */
async function forged(crate: SphinxCrate): Promise<void> {
  const { privateKeys, route } = drawRoute(1);
  const key = privateKeys[0]!;
  for (
    const [slot, theirs, ours] of [
      [{ flag: 0 }, "error", "flag"],
      [{ flag: 3 }, "error", "flag"],
      [{ version: 0 }, "forward", "version"],
      [{ version: 258 }, "forward", "version"],
      [{ version: 261 }, "forward", "version"],
      [{ version: 260 }, "forward", "forward"],
      [{ delayNs: 2n ** 53n - 1n }, "forward", "forward"],
      [{ delayNs: 2n ** 53n }, "forward", "delay"],
    ] as const
  ) {
    const header = forgedHeader(route[0]!.publicKey, slotBytes(slot));
    const packet = concat(header, crypto.random(COMPACT.payloadLength));
    const [answer] = await crate.ask([
      `unwrap ${key.toHex()} ${packet.toHex()}`,
    ]);
    const mine = outcome(() => unwrapPacket(crypto, COMPACT, key, packet).kind);
    assertEquals(
      [answer![0], mine],
      [theirs, ours],
      Deno.inspect(slot),
    );
  }
}

function outcome(run: () => string): string {
  try {
    return run();
  } catch (error) {
    if (error instanceof SphinxError) return error.code;
    throw error;
  }
}

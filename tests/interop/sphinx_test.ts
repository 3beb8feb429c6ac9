import { assert, assertEquals } from "@std/assert";
import { nodeProvider as crypto } from "../../src/core/crypto/mod.ts";
import {
  COMPACT,
  createPacket,
  createSurb,
  recoverMessage,
  recoverReply,
  REGULAR,
  replyPacket,
  SphinxError,
  type SphinxGeometry,
  unwrapPacket,
} from "../../src/mixnet/mod.ts";
import { below, type DrawnRoute, drawRoute } from "../mixnet/sphinx/_draw.ts";
import { hasCargo, routeText, SphinxCrate } from "./_sphinx_crate.ts";

const CASES = 200; // for each number of hops, geometry and direction

interface Case {
  readonly drawn: DrawnRoute;
  readonly message: Uint8Array;
}

Deno.test({
  name: "sphinx agrees with Nym's crate sphinx-packet",
  ignore: !hasCargo("sphinx_test"),
  async fn(t) {
    await using crate = await SphinxCrate.start();
    for (const geometry of [COMPACT, REGULAR]) {
      for (const hops of [1, 2, 3, 4, 5]) {
        const what = `${geometry.packetLength} bytes, ${hops} hops`;
        const cases = Array.from({ length: CASES }, () => ({
          drawn: drawRoute(hops),
          message: crypto.random(below(geometry.messageLength + 1)),
        }));
        await t.step(
          `${what}: it unwraps our packets`,
          () => theyUnwrap(crate, geometry, cases),
        );
        await t.step(
          `${what}: we unwrap its packets`,
          () => weUnwrap(crate, geometry, cases),
        );
        await t.step(
          `${what}: it replies by our SURBs`,
          () => theyReply(crate, geometry, cases),
        );
        await t.step(
          `${what}: we reply by its SURBs`,
          () => weReply(crate, geometry, cases),
        );
      }
    }
    await t.step("both refuse the same changed packets", () => mutate(crate));
    await t.step(
      "we refuse points of low order before the MAC, it by the MAC",
      () => lowOrder(crate),
    );
  },
});

async function theyUnwrap(
  crate: SphinxCrate,
  geometry: SphinxGeometry,
  cases: readonly Case[],
): Promise<void> {
  const packets = cases.map(({ drawn, message }) =>
    createPacket(crypto, geometry, drawn, message).toHex()
  );
  const payloads = await theyFollow(crate, cases, packets);
  const found = await crate.ask(
    payloads.map((payload) => `recover ${payload}`),
  );
  assertEquals(
    found,
    cases.map(({ message }) => ["ok", message.toHex()]),
  );
}

async function weUnwrap(
  crate: SphinxCrate,
  geometry: SphinxGeometry,
  cases: readonly Case[],
): Promise<void> {
  const built = await crate.ask(
    cases.map(({ drawn, message }) =>
      `build ${geometry.payloadLength} ${
        routeText(drawn)
      } ${drawn.destination.toHex()} ` +
      `${drawn.identifier.toHex()} ${message.toHex()}`
    ),
  );
  for (const [i, { drawn, message }] of cases.entries()) {
    const packet = Uint8Array.fromHex(built[i]![1]!);
    assertEquals(recoverMessage(follow(geometry, drawn, packet)), message);
  }
}

async function theyReply(
  crate: SphinxCrate,
  geometry: SphinxGeometry,
  cases: readonly Case[],
): Promise<void> {
  const surbs = cases.map(({ drawn }) => createSurb(crypto, drawn));
  const replies = await crate.ask(
    cases.map(({ message }, i) =>
      `reply ${geometry.payloadLength} ${
        surbs[i]!.surb.toHex()
      } ${message.toHex()}`
    ),
  );
  for (const [i, { drawn, message }] of cases.entries()) {
    const [, packet, firstHop] = replies[i]!;
    assertEquals(firstHop, drawn.route[0]!.address.toHex());
    const payload = follow(geometry, drawn, Uint8Array.fromHex(packet!));
    assertEquals(
      recoverReply(crypto, surbs[i]!.recovery, payload),
      message,
    );
  }
}

async function weReply(
  crate: SphinxCrate,
  geometry: SphinxGeometry,
  cases: readonly Case[],
): Promise<void> {
  const surbs = await crate.ask(
    cases.map(({ drawn }) =>
      `surb ${
        routeText(drawn)
      } ${drawn.destination.toHex()} ${drawn.identifier.toHex()}`
    ),
  );
  const packets = cases.map(({ drawn, message }, i) => {
    const surb = Uint8Array.fromHex(surbs[i]![1]!);
    const { packet, firstHop } = replyPacket(crypto, geometry, surb, message);
    assertEquals(firstHop, drawn.route[0]!.address);
    return packet.toHex();
  });
  const payloads = await theyFollow(crate, cases, packets);
  const found = await crate.ask(
    payloads.map((payload, i) => `unseal ${surbs[i]![2]} ${payload}`),
  );
  assertEquals(
    found,
    cases.map(({ message }) => ["ok", message.toHex()]),
  );
}

/** Sends packets through the crate hop by hop; the payloads that it delivers. */
async function theyFollow(
  crate: SphinxCrate,
  cases: readonly Case[],
  packets: readonly string[],
): Promise<string[]> {
  const hops = cases[0]!.drawn.route.length;
  for (let hop = 0; hop < hops; hop++) {
    const answers = await crate.ask(
      cases.map(({ drawn }, i) =>
        `unwrap ${drawn.privateKeys[hop]!.toHex()} ${packets[i]}`
      ),
    );
    for (const [i, { drawn }] of cases.entries()) {
      const { route, destination, identifier } = drawn;
      assertEquals(
        answers[i]!.slice(0, 3),
        hop === hops - 1
          ? ["final", destination.toHex(), identifier.toHex()]
          : [
            "forward",
            route[hop + 1]!.address.toHex(),
            `${route[hop]!.delayNs}`,
          ],
      );
    }
    packets = answers.map((answer) => answer[3]!);
  }
  return [...packets];
}

function follow(
  geometry: SphinxGeometry,
  { route, privateKeys, destination, identifier }: DrawnRoute,
  packet: Uint8Array,
): Uint8Array {
  for (const [i, key] of privateKeys.slice(0, -1).entries()) {
    const hop = unwrapPacket(crypto, geometry, key, packet);
    assert(hop.kind === "forward");
    assertEquals(hop.nextAddress, route[i + 1]!.address);
    assertEquals(hop.delayNs, route[i]!.delayNs);
    packet = hop.packet;
  }
  const last = unwrapPacket(crypto, geometry, privateKeys.at(-1)!, packet);
  assert(last.kind === "final");
  assertEquals(last.destination, destination);
  assertEquals(last.identifier, identifier);
  return last.payload;
}

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
        assertRefused(() => recoverMessage(ours.payload)),
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

/** x25519-dalek goes on with the zero secret, under which anybody could make a header that has a right MAC. */
async function lowOrder(crate: SphinxCrate): Promise<void> {
  const drawn = drawRoute(1);
  const packet = createPacket(crypto, COMPACT, drawn, new Uint8Array(1));
  packet.fill(0, 0, 32);
  const [key] = drawn.privateKeys;
  const [answer] = await crate.ask([
    `unwrap ${key!.toHex()} ${packet.toHex()}`,
  ]);
  assertEquals(answer![0], "error"); // for its MAC: this header is not made under zero
  assertEquals(
    assertRefused(() => unwrapPacket(crypto, COMPACT, key!, packet)),
    "weak_point",
  );
}

function assertRefused(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof SphinxError) return error.code;
    throw error;
  }
  throw new Error("It was not refused");
}

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

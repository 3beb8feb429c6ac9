/**
 * Makes `sphinx_packet.json` with Nym's crate: `deno run -A tests/vectors/nym/generate.ts`.
 *
 * @module
 */
import { nodeProvider as crypto } from "../../../src/core/crypto/mod.ts";
import { createSurb } from "../../../src/mixnet/mod.ts";
import { routeText, SphinxCrate } from "../../interop/_sphinx_crate.ts";
import { type DrawnRoute, drawRoute } from "../../mixnet/sphinx/_draw.ts";

await using crate = await SphinxCrate.start();
const packets = [];
const replies = [];
for (const payloadLength of [1_700, 2_065]) {
  for (const hops of [1, 2, 3, 4, 5]) {
    const drawn = drawRoute(hops);
    const message = crypto.random(100 * hops).toHex();
    const [built] = await crate.ask([
      `build ${payloadLength} ${routeText(drawn)} ${drawn.destination.toHex()} ${drawn.identifier.toHex()} ${message}`,
    ]);
    packets.push({
      payloadLength,
      message,
      hops: await follow(drawn, built![1]!),
    });

    const { surb, recovery } = createSurb(crypto, drawn);
    const [reply] = await crate.ask([
      `reply ${payloadLength} ${surb.toHex()} ${message}`,
    ]);
    replies.push({
      payloadLength,
      message,
      recovery: recovery.map((seed) => seed.toHex()),
      hops: await follow(drawn, reply![1]!),
    });
  }
}
Deno.writeTextFileSync(
  `${import.meta.dirname!}/sphinx_packet.json`,
  JSON.stringify({ source: "sphinx-packet 0.8.0", packets, replies }, null, 1) +
    "\n",
);

async function follow({ privateKeys }: DrawnRoute, packet: string) {
  const hops = [];
  for (const key of privateKeys) {
    const privateKey = key.toHex();
    const [answer] = await crate.ask([`unwrap ${privateKey} ${packet}`]);
    hops.push({ privateKey, packet, answer: answer! });
    packet = answer![3]!;
  }
  return hops;
}

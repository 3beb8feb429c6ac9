/**
 * Unwrapping Sphinx packets on one thread: this repository with each provider of cryptography, and Nym's crate
 * `sphinx-packet`, in interleaved rounds over the same packets.
 *
 * `deno run -A bench/peers/mixnet.ts [--rounds n] [--packets n]` prints a Markdown table of medians and writes every round to
 * `bench/results/<date>-<cpu>-mixnet.json`. It needs Cargo, and the network once; libcrypto and libsodium where they are. Every
 * packet is checked, ours against the crate, before anything is timed. Leave the machine alone meanwhile.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";
import {
  checkedProvider,
  type CryptoProvider,
  nobleProvider,
  nodeProvider,
} from "../../src/core/crypto/mod.ts";
import { openLibcrypto, openLibsodium } from "../../src/ffi/mod.ts";
import {
  COMPACT,
  createPacket,
  REGULAR,
  type SphinxGeometry,
  unwrapPacket,
} from "../../src/mixnet/mod.ts";
import { SphinxCrate } from "../../tests/interop/_sphinx_crate.ts";
import { drawRoute } from "../../tests/mixnet/sphinx/_draw.ts";
import { storeResults } from "./_store_results.ts";

const flags = parseArgs(Deno.args, {
  string: ["rounds", "packets"],
  default: { rounds: "5", packets: "2000" },
});
const libcrypto = openLibcrypto();
const tiers: readonly CryptoProvider[] = [
  nobleProvider,
  nodeProvider,
  checkedProvider(libcrypto),
  checkedProvider(openLibsodium(libcrypto)),
];
const CRATE = "sphinx-packet 0.8.0";

await using crate = await SphinxCrate.start();
const works = [];
for (const geometry of [COMPACT, REGULAR]) works.push(await prepare(geometry));
const rounds: Record<string, Record<string, number>>[] = [];
for (let i = 0; i < Number(flags.rounds); i++) {
  const round: Record<string, Record<string, number>> = {};
  for (const work of works) {
    const figures: Record<string, number> = {};
    figures[CRATE] = work.packets.length / await crateSeconds(work);
    for (const tier of tiers) figures[tier.name] = rate(tier, work);
    round[`${work.geometry.packetLength} B`] = figures;
  }
  rounds.push(round);
}
// deno-lint-ignore no-console -- the table is for the person who ran this
console.log(table());
await storeResults("-mixnet", { rounds });

interface Work {
  readonly geometry: SphinxGeometry;
  readonly key: Uint8Array;
  readonly packets: readonly Uint8Array[];
}

/** Packets for the first of three hops, which all tiers and the crate open alike. */
async function prepare(geometry: SphinxGeometry): Promise<Work> {
  const drawn = drawRoute(3);
  const [key] = drawn.privateKeys;
  const fast = tiers.at(-1)!;
  const packets = Array.from(
    { length: Number(flags.packets) },
    () =>
      createPacket(fast, geometry, drawn, fast.random(geometry.messageLength)),
  );
  const answers = await crate.ask(
    packets.map((packet) => `unwrap ${key!.toHex()} ${packet.toHex()}`),
  );
  for (const tier of tiers) {
    for (const [i, packet] of packets.entries()) {
      const hop = unwrapPacket(tier, geometry, key!, packet);
      if (hop.kind !== "forward") throw new Error("A hop was lost");
      assertEquals(hop.packet.toHex(), answers[i]![3]);
      if (tier === nobleProvider && i === 50) break; // it is slow
    }
  }
  return { geometry, key: key!, packets };
}

/** Packets a second. */
function rate(tier: CryptoProvider, { geometry, key, packets }: Work): number {
  const some = tier === nobleProvider ? packets.slice(0, 100) : packets;
  const start = performance.now();
  for (const packet of some) unwrapPacket(tier, geometry, key, packet);
  return some.length / (performance.now() - start) * 1000;
}

async function crateSeconds({ key, packets }: Work): Promise<number> {
  const all = packets.map((packet) => packet.toHex()).join(" ");
  const [answer] = await crate.ask([`time ${key.toHex()} 1 ${all}`]);
  return Number(answer![1]);
}

function table(): string {
  const sizes = Object.keys(rounds[0]!);
  const names = Object.keys(rounds[0]![sizes[0]!]!);
  const of = (size: string, name: string) =>
    median(rounds.map((round) => round[size]![name]!));
  const rows = names.map((name) => {
    const rates = sizes.map((size) => of(size, name));
    const ratio = rates.at(-1)! / of(sizes.at(-1)!, CRATE);
    const cells = [name, ...rates.map(Math.round), ratio.toFixed(2)];
    return `| ${cells.join(" | ")} |`;
  });
  return [
    `| packets/s, one thread | ${sizes.join(" | ")} | of the crate |`,
    `| --- |${" ---: |".repeat(sizes.length + 1)}`,
    ...rows,
  ].join("\n");
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

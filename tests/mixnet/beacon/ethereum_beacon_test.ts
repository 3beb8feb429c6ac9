import { assert, assertEquals } from "@std/assert";
import { encodeHex, utf8 } from "../../../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../../../src/core/crypto/mod.ts";
import { beacon } from "../../../src/mixnet/mod.ts";
import { assertFails, valueOf, withServed } from "./_served.ts";

const EPOCH_SECONDS = 3_600;
const EPOCH = 494_000;
const WANTED_SECONDS = EPOCH * EPOCH_SECONDS - EPOCH_SECONDS / 2;

/** A block as `eth_getBlockByNumber` answers it; fields that no one reads are left out. */
interface RpcBlock {
  readonly number: string;
  readonly timestamp: string;
  readonly hash: string;
  readonly parentHash: string;
  readonly transactions: readonly string[];
}

Deno.test("ethereumBeacon() finds the last block until the middle of the epoch before, over missed slots too", async () => {
  for (
    const missed of [[], [2], [1, 3, 4, 80], [0, 1], [98, 99, 100, 101, 102]]
  ) {
    const chain = chainWith(missed);
    const expected = [...chain.values()]
      .filter(({ timestamp }) => Number(timestamp) <= WANTED_SECONDS).at(-1)!;
    let requests = 0;
    const value = await withServed(
      (request) => {
        requests++;
        return answer(chain, request);
      },
      (at) => valueOf(source(at), EPOCH),
    );
    assertEquals(
      value && encodeHex(value),
      encodeHex(crypto.hash(
        "sha256",
        utf8("betanet-beacon-eth-v1"),
        Uint8Array.fromHex(expected.hash.slice(2)),
      )),
    );
    assert(requests <= 10, `${requests} requests`);
  }
});

Deno.test("ethereumBeacon() gives nothing until the block behind is finalized, nor before the merge", async () => {
  const chain = chainWith([]);
  const ask = (epoch: number) =>
    withServed(
      (request) => answer(chain, request),
      (at) => valueOf(source(at), epoch),
    );
  assertEquals(await ask(EPOCH + 1), undefined);
  assertEquals(await ask(1), undefined);
  const upTo = new Map(
    [...chain].filter(([, { timestamp }]) =>
      Number(timestamp) <= WANTED_SECONDS
    ),
  );
  assert(upTo.size > 0 && upTo.size < chain.size);
  const early = await withServed(
    (request) => answer(upTo, request),
    (at) => valueOf(source(at), EPOCH),
  );
  assertEquals(early, undefined);
});

Deno.test("ethereumBeacon() refuses blocks that do not follow each other", async () => {
  const chain = chainWith([]);
  const numbers = [...chain.keys()];
  const changed = (change: (block: RpcBlock) => Partial<RpcBlock>) =>
    new Map(
      [...chain].map(([number, block]) =>
        [number, { ...block, ...change(block) }] as const
      ),
    );
  const ends = [chain.get(numbers[200]!)!, chain.get(numbers.at(-1)!)!];
  for (
    const [bad, code, message] of [
      [changed(() => ({ parentHash: hashOf(7) })), "unverified", "parent"],
      [
        changed(() => ({ timestamp: quantity(WANTED_SECONDS + 1) })),
        "malformed",
        "closer",
      ],
      [
        changed((block) =>
          ends.includes(block) ? {} : { timestamp: quantity(3) }
        ),
        "malformed",
        "order",
      ],
      [changed(() => ({ number: "0x1" })), "malformed", "too short"],
      [changed(() => ({ hash: "7" })), "malformed", "hash"],
      [changed(() => ({ hash: "0x7" })), "malformed", "hexadecimal"],
      [changed(() => ({ timestamp: "0xZ" })), "malformed", "quantity"],
      [
        changed(() => ({ timestamp: "0xfffffffffffff" })),
        "malformed",
        "too short",
      ],
    ] as const
  ) {
    await withServed(
      (request) => answer(bad, request),
      (at) => assertFails(source(at), EPOCH, code, message),
    );
  }
});

Deno.test("ethereumBeacon() refuses errors of JSON-RPC and answers too long", async () => {
  const error = { jsonrpc: "2.0", id: 1, error: { code: -32_000 } };
  for (
    const [response, code] of [
      [Response.json(error), "refused"],
      [Response.json({ jsonrpc: "2.0", id: 1, result: null }), "malformed"],
      [new Response(null, { status: 404 }), "malformed"],
      [new Response("[" + " ".repeat(1 << 20)), "unreachable"],
    ] as const
  ) {
    await withServed(
      () => response,
      (at) => assertFails(source(at), EPOCH, code),
    );
  }
});

function source(
  at: { readonly url: string; readonly beaconFetch: beacon.BeaconFetch },
): beacon.BeaconSource {
  return beacon.ethereumBeacon({ ...at, crypto, epochSeconds: EPOCH_SECONDS });
}

/** 400 slots from 200 before the wanted time, without the blocks of the `missed` slots before it. */
function chainWith(missed: readonly number[]): Map<number, RpcBlock> {
  const chain = new Map<number, RpcBlock>();
  const phase = 5;
  let number = 20_000_000;
  for (let slot = -200; slot < 200; slot++) {
    if (missed.includes(-slot)) continue;
    chain.set(number, {
      number: quantity(number),
      timestamp: quantity(WANTED_SECONDS - phase + 12 * slot),
      hash: hashOf(number),
      parentHash: hashOf(number - 1),
      transactions: [hashOf(-number)],
    });
    number++;
  }
  return chain;
}

async function answer(
  chain: ReadonlyMap<number, RpcBlock>,
  request: Request,
): Promise<Response> {
  const { jsonrpc, id, method, params: [tag, full] } = await request.json();
  assertEquals([jsonrpc, method, full], ["2.0", "eth_getBlockByNumber", false]);
  assertEquals(request.headers.get("content-type"), "application/json");
  const last = [...chain.keys()].at(-1)!;
  const result = chain.get(tag === "finalized" ? last : Number(tag)) ?? null;
  return Response.json({ jsonrpc, id, result });
}

function quantity(number: number): string {
  return `0x${number.toString(16)}`;
}

function hashOf(number: number): string {
  return `0x${encodeHex(crypto.hash("sha256", utf8(`block ${number}`)))}`;
}

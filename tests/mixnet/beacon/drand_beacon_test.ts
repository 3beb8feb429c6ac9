import { assertEquals } from "@std/assert";
import { encodeHex, utf8 } from "../../../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../../../src/core/crypto/mod.ts";
import { beacon } from "../../../src/mixnet/mod.ts";
import vectors from "../../vectors/beacon/drand.json" with { type: "json" };
import { assertFails, valueOf, withServed } from "./_served.ts";

type Chain = typeof vectors.default | typeof vectors.g1;

/** With epochs this short, each round's time is in the middle of one. */
const EPOCH_SECONDS = 2;
const [FIRST, THOUSANDTH] = vectors.default.rounds;
const [IN_G1] = vectors.g1.rounds;

Deno.test("drandBeacon() gives the hash of the randomness of the last round until the middle of the epoch before", async () => {
  for (
    const [chain, round] of [
      [vectors.default, FIRST],
      [vectors.default, THOUSANDTH],
      [vectors.g1, IN_G1],
    ] as const
  ) {
    const expected = crypto.hash(
      "sha256",
      utf8("betanet-beacon-drand-v1"),
      Uint8Array.fromHex(round!.randomness),
    );
    const { period } = chain.info;
    const first = epochOf(chain, round!.round);
    for (const epoch of [first, first + Math.floor((period - 2) / 2)]) {
      const value = await ask(chain, { [round!.round]: round }, epoch);
      assertEquals(value && encodeHex(value), encodeHex(expected));
    }
  }
});

Deno.test("drandBeacon() has DRAND_DEFAULT by default", async () => {
  const value = await withServed(
    serve(vectors.default, { "1": FIRST }),
    (at) =>
      valueOf(
        beacon.drandBeacon({ ...at, crypto, epochSeconds: EPOCH_SECONDS }),
        epochOf(vectors.default, 1),
      ),
  );
  assertEquals(value?.length, 32);
});

Deno.test("drandBeacon() gives nothing before round 1, or while a round is not out", async () => {
  const before = epochOf(vectors.default, 1) - 1;
  assertEquals(await ask(vectors.default, {}, before), undefined);
  assertEquals(await ask(vectors.default, {}, before + 1), undefined);
});

Deno.test("drandBeacon() believes nothing that the group did not sign", async () => {
  const flip = (text: string) =>
    (text.startsWith("8") ? "9" : "8") + text.slice(1);
  const rehashed = (signature: string) => ({
    signature,
    randomness: encodeHex(
      crypto.hash("sha256", Uint8Array.fromHex(signature)),
    ),
  });
  const good = THOUSANDTH!;
  for (
    const [changes, code] of [
      [{ randomness: FIRST!.randomness }, "unverified"],
      [{ signature: FIRST!.signature }, "unverified"],
      [rehashed(FIRST!.signature), "unverified"],
      [rehashed(flip(good.signature)), "unverified"],
      [rehashed("c0" + "00".repeat(95)), "unverified"], // the identity
      [rehashed("ff".repeat(96)), "unverified"],
      [{ previous_signature: FIRST!.signature }, "unverified"],
      [{ previous_signature: undefined }, "malformed"],
      [{ previous_signature: "aa" }, "malformed"],
      [{ signature: good.signature + "00" }, "malformed"],
      [{ signature: 7 }, "malformed"],
      [{ round: 999 }, "malformed"],
      [{ round: "1000" }, "malformed"],
    ] as const
  ) {
    await refuse(vectors.default, 1_000, { ...good, ...changes }, code);
  }
  await refuse(vectors.g1, 38, { ...IN_G1, randomness: "00" }, "malformed");
  const other = structuredClone(vectors.g1);
  other.info.genesis_time -= other.info.period;
  const later = { ...IN_G1, round: 39 };
  await refuse(other, 39, later, "unverified");
});

Deno.test("drandBeacon() refuses other answers than a round", async () => {
  const answers: readonly [Response, beacon.BeaconErrorCode, string?][] = [
    [new Response("[1]"), "malformed"],
    [new Response("null"), "malformed"],
    [new Response("{"), "malformed", "no JSON"],
    [new Response(new Uint8Array([0x22, 0xff, 0x22])), "malformed"],
    [new Response("{}", { status: 500 }), "refused", "500"],
    [new Response(" ".repeat(5_000) + "{}"), "unreachable"],
    [Response.redirect("http://127.0.0.1:1/", 302), "unreachable"],
  ];
  for (const [response, code, message] of answers) {
    await withServed(
      () => response,
      (at) =>
        assertFails(
          source(vectors.default, at),
          epochOf(vectors.default, 1),
          code,
          message,
        ),
    );
  }
  const long = { status: 200, body: new Uint8Array(5_000) };
  const unbounded = { url: "", beaconFetch: () => Promise.resolve(long) };
  await assertFails(
    source(vectors.default, unbounded),
    epochOf(vectors.default, 1),
    "malformed",
    "4096",
  );
});

function source(
  { info }: Chain,
  at: { readonly url: string; readonly beaconFetch: beacon.BeaconFetch },
): beacon.BeaconSource {
  return beacon.drandBeacon({
    ...at,
    crypto,
    epochSeconds: EPOCH_SECONDS,
    chain: {
      hash: info.hash,
      publicKey: Uint8Array.fromHex(info.public_key),
      scheme: info.schemeID as beacon.DrandChain["scheme"],
      genesisSeconds: info.genesis_time,
      periodSeconds: info.period,
    },
  });
}

/** The first epoch whose round is `round`. */
function epochOf({ info }: Chain, round: number): number {
  const seconds = info.genesis_time + (round - 1) * info.period;
  return Math.ceil((seconds + 1) / EPOCH_SECONDS);
}

function serve({ info }: Chain, rounds: Readonly<Record<string, unknown>>) {
  const path = `/${info.hash}/public/`;
  return (request: Request) => {
    const { pathname } = new URL(request.url);
    const round = pathname.startsWith(path)
      ? rounds[pathname.slice(path.length)]
      : undefined;
    return round === undefined
      ? new Response("not found", { status: 404 })
      : Response.json(round);
  };
}

function ask(
  chain: Chain,
  rounds: Readonly<Record<string, unknown>>,
  epoch: number,
): Promise<Uint8Array | undefined> {
  return withServed(
    serve(chain, rounds),
    (at) => valueOf(source(chain, at), epoch),
  );
}

function refuse(
  chain: Chain,
  round: number,
  answer: unknown,
  code: beacon.BeaconErrorCode,
): Promise<void> {
  return withServed(
    serve(chain, { [round]: answer }),
    (at) => assertFails(source(chain, at), epochOf(chain, round), code),
  );
}

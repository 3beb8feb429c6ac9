import { assert, assertEquals, assertThrows } from "@std/assert";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import {
  type ClientHello,
  drawOffer,
  drawProcess,
  EXTENSION,
  extensionOf,
  isGrease,
  parseProfile,
  profileOf,
} from "../../src/utls/mod.ts";
import { echOf } from "../../src/utls/extension_data.ts";
import { profileJson } from "./_profile_json.ts";
import { greaseOf, shareOf } from "./_scripted_draws.ts";
import { seededRandom } from "./_seeded_random.ts";

const HELLOS = 6_000;

/** Random bytes are seeded, so every run of these tests draws the same. */
const crypto = { ...nodeProvider, random: seededRandom(156) };
const share = shareOf(0x001d, new Uint8Array(32));

function drawHellos(version: number, hellos = HELLOS): ClientHello[] {
  const profile = profileOf(version);
  return Array.from({ length: hellos }, () => {
    using offer = drawOffer(profile, {
      crypto,
      serverName: "www.example.com",
      keyShare: () => share,
    });
    return offer.hello;
  });
}

const hellos = drawHellos(156);

/** What the captured corpus has of each hello, so that the same statistics are taken of it. */
interface Row {
  /** Extension types in order, those of GREASE left out. */
  readonly order: readonly number[];
  /** GREASE of cipher, group, first, last, version and signature algorithm, 0 to 15. */
  readonly grease: readonly number[];
  readonly configId: number;
  readonly payloadBytes: number;
}

function rowOf(hello: ClientHello): Row {
  const ech = echOf(hello)!;
  return {
    order: hello.extensions!.map(({ type }) => type).filter((type) =>
      !isGrease(type)
    ),
    grease: Object.values(greaseOf(hello)).map((value) => value >> 12),
    configId: ech.configId,
    payloadBytes: ech.payload.length,
  };
}

async function corpus(): Promise<Row[]> {
  const path = new URL(
    "../vectors/chrome/debian-chromium-156-corpus6000.json.gz",
    import.meta.url,
  );
  const stream = new Blob([Deno.readFileSync(path)]).stream().pipeThrough(
    new DecompressionStream("gzip"),
  );
  const { rows } = await new Response(stream).json() as {
    rows: { o: string; e: number; c: number; g: string }[];
  };
  return rows.map(({ o, e, c, g }) => ({
    order: o.split("-").filter((name) => name !== "G").map(Number),
    grease: [...g].map((digit) => parseInt(digit, 16)),
    configId: c,
    payloadBytes: e,
  }));
}

const sources: [string, () => Promise<Row[]>][] = [
  ["drawn", () => Promise.resolve(hellos.map(rowOf))],
  ["captured", corpus],
];

for (const [source, rowsOf] of sources) {
  Deno.test(`extensions of ${source} hellos are permuted uniformly: each in each place, each pair in each order`, async () => {
    const rows = await rowsOf();
    assertEquals(new Set(rows.map(({ order }) => order.join())).size, HELLOS);
    const types = [...rows[0]!.order].sort();
    const places = types.map((type) =>
      rows.map(({ order }) => order.indexOf(type))
    );
    const statistic = places.reduce(
      (sum, of) => sum + chiSquare(counts(of, types.length)),
      0,
    );
    assertChiSquare(statistic, (types.length - 1) ** 2);
    for (const [a, of] of places.entries()) {
      for (const other of places.slice(0, a)) {
        const before = of.filter((place, at) => place < other[at]!).length;
        assertChiSquare(chiSquare([before, HELLOS - before]), 1);
      }
    }
  });

  Deno.test(`GREASE, config ids and ECH lengths of ${source} hellos are uniform, first and last GREASE extensions differ`, async () => {
    const rows = await rowsOf();
    for (const at of [0, 1, 2, 4, 5]) {
      assertChiSquare(
        chiSquare(counts(rows.map(({ grease }) => grease[at]!), 16)),
        15,
      );
    }
    assertEquals(rows.some(({ grease }) => grease[2] === grease[3]), false);
    assertChiSquare(
      chiSquare(counts(rows.map(({ configId }) => configId), 256)),
      255,
    );
    const lengths = rows.map(({ payloadBytes }) =>
      [144, 176, 208, 240].indexOf(payloadBytes)
    );
    assertChiSquare(chiSquare(counts(lengths, 4)), 3);
  });
}

Deno.test("GREASE values of drawn hellos are independent of one another", () => {
  const rows = hellos.map(rowOf);
  const places = [0, 1, 2, 4, 5];
  for (const a of places) {
    for (const b of places.filter((place) => place < a)) {
      const pairs = rows.map(({ grease }) => grease[a]! * 16 + grease[b]!);
      assertChiSquare(chiSquare(counts(pairs, 256)), 255);
    }
  }
});

Deno.test("the key share under GREASE has the value of the group, and a single zero byte", () => {
  for (const hello of hellos.slice(0, 500)) {
    const data = extensionOf(hello, EXTENSION.keyShare)!;
    const { group } = greaseOf(hello);
    assertEquals([...data.subarray(2, 7)], [group >> 8, group & 0xff, 0, 1, 0]);
  }
});

Deno.test("randoms, session ids, ECH keys and payloads never repeat, and ECH keys are field elements", () => {
  const encs = hellos.map((hello) => echOf(hello)!.enc);
  assert(encs.every((enc) => enc[31]! < 0x80));
  for (
    const values of [
      encs,
      hellos.map(({ random }) => random),
      hellos.map(({ sessionId }) => sessionId),
      hellos.map((hello) => echOf(hello)!.payload),
    ]
  ) {
    assertEquals(new Set(values.map((value) => value.toHex())).size, HELLOS);
    const bits = values.flatMap((value) => [...value.subarray(0, 8)]);
    assertChiSquare(chiSquare(counts(bits, 256)), 255);
  }
});

Deno.test("152 and 153 draw the order of trust_anchors once per process, uniformly over processes; 156 never", () => {
  const anchors = (hello: ClientHello) =>
    extensionOf(hello, EXTENSION.trustAnchors)!.toHex();
  assertEquals(new Set(drawHellos(153, 50).map(anchors)).size, 1);
  assertEquals(new Set(hellos.map(anchors)).size, 1);
  const profile = profileOf(153);
  const orders = Array.from(
    { length: 5_000 },
    () => drawProcess(profile, crypto).trustAnchorOrder,
  );
  const statistic = orders[0]!.reduce(
    (sum, _, id) =>
      sum + chiSquare(counts(orders.map((order) => order.indexOf(id)), 28)),
    0,
  );
  assertChiSquare(statistic, 27 ** 2);
  const sorted = {
    extensionOrder: [],
    trustAnchorOrder: orders[0]!.map((_, at) => at),
  };
  using offer = drawOffer(profile, {
    crypto,
    process: sorted,
    keyShare: () => share,
  });
  assertEquals(anchors(offer.hello), anchors(hellos[0]!));
});

Deno.test("drawOffer() refuses process draws of another profile", () => {
  const process = drawProcess(profileOf(156), crypto);
  assertThrows(
    () => drawOffer(profileOf(153), { crypto, process, keyShare: () => share }),
    RangeError,
    "Expected process draws of 28 places, got 0",
  );
});

Deno.test("an order that holds for a process or a build is the same in all hellos of it", () => {
  for (
    const [scope, distinct] of [["connection", 20], ["process", 1], [
      "build",
      1,
    ]] as const
  ) {
    const json = profileJson(156);
    json.hello.extensionOrder = scope;
    const profile = parseProfile(json);
    const orders = Array.from({ length: 20 }, () => {
      using offer = drawOffer(profile, { crypto, keyShare: () => share });
      return rowOf(offer.hello).order.join();
    });
    assertEquals(new Set(orders).size, distinct, scope);
  }
});

function counts(values: readonly number[], cells: number): number[] {
  const counts = Array.from({ length: cells }, () => 0);
  for (const value of values) counts[value]!++;
  return counts;
}

/** Of `observed` against equal shares. */
function chiSquare(observed: readonly number[]): number {
  const expected = observed.reduce((sum, count) => sum + count, 0) /
    observed.length;
  return observed.reduce(
    (sum, count) => sum + (count - expected) ** 2 / expected,
    0,
  );
}

/** Fails beyond about four standard deviations (Wilson–Hilferty) on either side: too regular is wrong too. */
function assertChiSquare(statistic: number, degrees: number): void {
  const spread = 2 / (9 * degrees);
  const deviation = (Math.cbrt(statistic / degrees) - (1 - spread)) /
    Math.sqrt(spread);
  assert(
    Math.abs(deviation) < 4,
    `χ² ${statistic} of ${degrees} degrees is ${deviation} deviations off`,
  );
}

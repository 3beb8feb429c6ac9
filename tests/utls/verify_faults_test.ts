import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { decodeHex, Writer } from "../../src/core/bytes/mod.ts";
import {
  checkProperties,
  type ClientHello,
  EXTENSION,
  type Observation,
  observe,
  UtlsError,
  verifyHellos,
} from "../../src/utls/mod.ts";
import { seededRandom } from "./_seeded_random.ts";
import { type Fault, simulateHellos } from "./_simulated_browser.ts";

const HELLOS = 2_000;

let browser: readonly Observation[];

/** The same sample of the browser for every test. */
function reference(): readonly Observation[] {
  return browser ??= simulateHellos(HELLOS, 1).map(observe);
}

/** Each fault, the check that finds it, and what the check finds worst; the faults of a group are in the same hellos. */
const GROUPS: readonly (readonly [Fault, string, RegExp])[][] = [
  [
    ["biased shuffle", "extension positions", /^\d+$/],
    ["reused X25519", "repeated keys", /^keys$/],
    ["fixed GREASE", "GREASE values", /^sigalg$/],
    ["random ECH enc", "public keys", /^ech enc$/],
    ["other ALPS", "masked bytes", /^extensions$|^extension 17[56]13$/],
    ["wrong ECH AEAD", "ECH AEAD by cipher order", /^AEAD$/],
  ],
  [
    ["mild bias", "pairwise order", /^\d+ before \d+$/],
    ["random ML-KEM", "public keys", /^hybrid ml_kem$/],
    ["independent key_share GREASE", "GREASE relations", /^group = key_share$/],
    ["fixed ECH length", "ECH payload length", /^payload$/],
    ["short session id", "masked bytes", /^session_id$/],
  ],
  [
    ["key of the process", "repeated keys", /^keys$/],
    [
      "equal GREASE extensions",
      "GREASE relations",
      /^extension = extension 2$/,
    ],
    ["ECH enc without top bit", "public keys", /^ech enc$/],
  ],
  [
    ["no GREASE sigalg", "masked bytes", /^extension 13$/],
    ["weak seeds", "GREASE uniformity", /^\w/],
    [
      "reversed session id",
      "field relations",
      /^random = session_id reversed$/,
    ],
    ["repeated ECH payload", "repeated pieces", /^ech payload$/],
    ["even permutations", "whole order", /^parity$/],
    ["longer ECH payload", "ECH payload length", /^payload$/],
  ],
  [
    [
      "config_id of the cipher",
      "GREASE relations",
      /config_id.*cipher|cipher.*config_id/,
    ],
    ["counted GREASE", "seed sequence", /^cipher$|^config_id$/],
    ["inverted session id", "field relations", /^random = session_id$/],
  ],
];

for (const group of GROUPS) {
  const faults = group.map(([fault]) => fault);
  Deno.test(`checkProperties() finds at once: ${faults.join(", ")}`, () => {
    const ours = simulateHellos(HELLOS, 2, ...faults).map(observe);
    const checks = checkProperties(ours, reference());
    for (const [fault, name, worst] of group) {
      const check = checks.find((each) => each.name === name)!;
      assert(!check.pass, fault);
      assertMatch(check.worst, worst);
    }
  });
}

Deno.test("verifyHellos() accepts hellos of the same rules, and its classifier guesses", () => {
  const ours = simulateHellos(HELLOS, 2).map(observe);
  const verdict = verifyHellos(ours, reference());
  assert(verdict.pass);
  assertEquals(verdict.checks.length, 21);
  assert(verdict.checks.every(({ pass, tests }) => pass && tests > 0));
  const [low, high] = verdict.interval;
  assert(low < 0.5 && 0.5 < high, `${low} to ${high}`);
});

for (const fault of ["biased shuffle", "random ECH enc"] as const) {
  Deno.test(`verifyHellos() trains a classifier that tells: ${fault}`, () => {
    const ours = simulateHellos(HELLOS, 2, fault).map(observe);
    const { pass, checks, auc, interval } = verifyHellos(ours, reference());
    assert(!pass);
    assert(!checks.find(({ name }) => name === "classifier")!.pass);
    assert(auc > 0.58 && interval[0] > 0.55, `${auc}`);
  });
}

Deno.test("checkProperties() rejects one of 2000 hellos in which a constant byte differs", () => {
  const ours = simulateHellos(HELLOS, 3);
  const [odd, ...rest] = ours;
  const changed = { ...odd!, compressionMethods: Uint8Array.of(1, 0) };
  const failed = checkProperties([changed, ...rest].map(observe), reference())
    .filter(({ pass }) => !pass);
  assertEquals(failed.map(({ name }) => name), [
    "masked bytes",
    "hello length",
  ]);
  assertEquals(failed[0]!.worst, "compression_methods");
  assertEquals(failed[0]!.statistic, 1);
});

Deno.test("checkProperties() finds a client that never resumes where the browser does", () => {
  const resumes = (sometimes: boolean) =>
    simulateHellos(400, 4).map((hello, i): ClientHello =>
      sometimes && i % 10 === 0
        ? {
          ...hello,
          extensions: [...hello.extensions!, {
            type: EXTENSION.preSharedKey,
            data: decodeHex("0007" + "0001ff00000000" + "0003" + "020000"),
          }],
        }
        : hello
    ).map(observe);
  const failed = checkProperties(resumes(false), resumes(true))
    .filter(({ pass }) => !pass);
  assert(
    failed.some(({ name, worst }) =>
      name === "masked bytes" && worst === "extensions"
    ),
  );
});

Deno.test("checkProperties() finds trust anchors that each connection shuffles where a process does", () => {
  const sample = (textOf: (i: number) => string) =>
    reference().slice(0, 400).map((each, i) => ({
      ...each,
      trustAnchors: textOf(i),
    }));
  const process = sample((i) => i % 2 ? "ab" : "ba");
  const failed = (ours: readonly Observation[]) =>
    checkProperties(ours, process).filter(({ pass }) => !pass)
      .map(({ name }) => name);
  assertEquals(failed(sample(() => "ba")), []);
  assertEquals(failed(sample((i) => `${i}`)), ["trust anchor orders"]);
});

Deno.test("checkProperties() finds tickets and binders that come again, and binders of zeros", () => {
  const sample = (first: number, zeros: boolean) => {
    const random = seededRandom(first);
    const once = random(64);
    return simulateHellos(300, first).map((hello): ClientHello => {
      const identity = zeros ? once : random(64);
      const binder = zeros ? new Uint8Array(32) : random(32);
      const w = new Writer().u16(70).u16(64).put(identity).put(random(4));
      w.u16(33).u8(32).put(binder);
      const psk = { type: EXTENSION.preSharedKey, data: w.finish() };
      return { ...hello, extensions: [...hello.extensions!, psk] };
    }).map(observe);
  };
  const failed = (ours: readonly Observation[]) =>
    checkProperties(ours, sample(1, false)).filter(({ pass }) => !pass);
  assertEquals(failed(sample(2, false)), []);
  const names = failed(sample(2, true)).map(({ name }) => name);
  assertEquals(names, [
    "repeated keys",
    "random bits",
    "repeated pieces",
    "field relations",
  ]);
});

Deno.test("verifyHellos() refuses few hellos, and too many extensions", () => {
  const few = simulateHellos(199, 5).map(observe);
  assertThrows(() => verifyHellos(few, reference()), RangeError);
  const many = reference().map((each, i) => ({
    ...each,
    order: [...each.order, 1_000 + i % 200],
  }));
  const error = assertThrows(() => verifyHellos(many, reference()), UtlsError);
  assertEquals(error.code, "capture");
});

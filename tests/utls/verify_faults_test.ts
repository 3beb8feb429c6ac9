import { assert, assertEquals } from "@std/assert";
import {
  checkProperties,
  type Observation,
  observe,
  verifyHellos,
} from "../../src/utls/mod.ts";
import { type Fault, simulateHellos } from "./_simulated_browser.ts";

const HELLOS = 2_000;

let browser: readonly Observation[];

/** The same sample of the browser for every test. */
function reference(): readonly Observation[] {
  return browser ??= simulateHellos(HELLOS, 1).map(observe);
}

/** Each fault, and a check that finds it. */
const FOUND_BY: Readonly<Record<Fault, string>> = {
  "biased shuffle": "extension positions",
  "mild bias": "pairwise order",
  "reused X25519": "repeated keys",
  "key of the process": "repeated keys",
  "fixed GREASE": "GREASE values",
  "independent key_share GREASE": "GREASE relations",
  "equal GREASE extensions": "GREASE relations",
  "random ECH enc": "public keys",
  "ECH enc without top bit": "public keys",
  "random ML-KEM": "public keys",
  "wrong ECH AEAD": "ECH AEAD by cipher order",
  "fixed ECH length": "ECH payload length",
  "other ALPS": "masked bytes",
  "no GREASE sigalg": "masked bytes",
  "short session id": "masked bytes",
  "weak seeds": "GREASE uniformity",
};

for (const [fault, check] of Object.entries(FOUND_BY)) {
  Deno.test(`checkProperties() finds by its ${check}: ${fault}`, () => {
    const ours = simulateHellos(HELLOS, 2, fault as Fault).map(observe);
    const failed = checkProperties(ours, reference())
      .filter(({ pass }) => !pass).map(({ name }) => name);
    assert(failed.includes(check), failed.join());
  });
}

Deno.test("verifyHellos() accepts hellos of the same rules, and its classifier guesses", () => {
  const ours = simulateHellos(HELLOS, 2).map(observe);
  const verdict = verifyHellos(ours, reference());
  assert(verdict.pass);
  assertEquals(verdict.checks.length, 16);
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
  assertEquals(failed.map(({ name }) => name), ["masked bytes"]);
  assertEquals(failed[0]!.worst, "compression_methods");
  assertEquals(failed[0]!.statistic, 1);
});

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  MAX_CORPUS_ROWS,
  type Observation,
  observe,
  parseCorpus,
  UtlsError,
  verifyHellos,
} from "../../src/utls/mod.ts";
import { simulateHellos } from "./_simulated_browser.ts";

const FILE = new URL(
  "../vectors/chrome/debian-chromium-156-corpus6000.json.gz",
  import.meta.url,
);

async function readRows(): Promise<Observation[]> {
  const gzip = new Blob([await Deno.readFile(FILE)]).stream()
    .pipeThrough(new DecompressionStream("gzip"));
  return parseCorpus(await new Response(gzip).json());
}

Deno.test("verifyHellos() finds nothing between two halves of 6000 recorded hellos", async () => {
  const rows = await readRows();
  assertEquals(rows.length, 6_000);
  const verdict = verifyHellos(
    rows.filter((_, i) => i % 2 === 0),
    rows.filter((_, i) => i % 2 === 1),
  );
  assert(verdict.pass, JSON.stringify(verdict.checks));
});

Deno.test("verifyHellos() compares full hellos with recorded rows in what the rows kept", async () => {
  const rows = (await readRows()).slice(0, 2_000);
  const ours = simulateHellos(2_000, 4).map(observe);
  const { pass, checks } = verifyHellos(ours, rows);
  assert(pass, JSON.stringify(checks));
  const names = checks.map(({ name }) => name);
  assert(!names.includes("masked bytes") && !names.includes("random bits"));
  const biased = simulateHellos(2_000, 5, "biased shuffle").map(observe);
  assert(!verifyHellos(biased, rows).pass);
});

Deno.test("parseCorpus() rejects what is no corpus", () => {
  const row = { o: "G-0-G", e: 144, c: 7, g: "012345" };
  assertEquals(parseCorpus({ rows: [row] })[0]!.order, [0x0a0a, 0, 0x1a1a]);
  const bad = [
    null,
    {},
    { rows: [null] },
    { rows: [{ ...row, o: "G--G" }] },
    { rows: [{ ...row, o: "G-5-5-G" }] },
    { rows: [{ ...row, o: Array(300).fill("G").join("-") }] },
    { rows: [{ ...row, e: "144" }] },
    { rows: [{ ...row, g: "01234" }] },
    { rows: Array(MAX_CORPUS_ROWS + 1).fill(row) },
  ];
  for (const json of bad) {
    const error = assertThrows(() => parseCorpus(json), UtlsError);
    assertEquals(error.code, "capture");
  }
});

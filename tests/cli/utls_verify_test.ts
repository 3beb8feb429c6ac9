import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { encodeHex } from "../../src/core/bytes/mod.ts";
import {
  encodeClientHello,
  profileJson,
  profileOf,
} from "../../src/utls/mod.ts";
import { type Fault, simulateHellos } from "../utls/_simulated_browser.ts";
import { makeFolder } from "./_htx_process.ts";
import { runUtls } from "./_run_utls.ts";

const CORPUS = new URL(
  "../vectors/chrome/debian-chromium-156-corpus6000.json.gz",
  import.meta.url,
).pathname;

const AGAINST_CORPUS = ["verify", "--reference", CORPUS, "--count", "300"];

Deno.test("betanet-utls verify finds nothing between hellos of the same rules, and draws plots", async () => {
  await using folder = await makeFolder();
  const report = `${folder.path}/report.html`;
  const { code, stdout, stderr } = await runUtls([
    ...AGAINST_CORPUS,
    "--json",
    ...["--hellos", await writeHellos(folder.path)],
    ...["--report", report],
  ]);
  assertEquals([code, stderr], [0, `Plots are in ${report}\n`]);
  const { pass, auc, interval, samples, checks } = JSON.parse(stdout);
  assert(pass && interval[0] < auc && auc < interval[1], stdout);
  assertEquals(samples, { ours: 300, reference: 300 });
  assertEquals(checks.length, 12);

  const page = await Deno.readTextFile(report);
  assertStringIncludes(page, "<h1>Not told apart</h1>");
  assertEquals(page.match(/<svg /g)!.length, 3); // the corpus kept no lengths
  const cells = page.match(/<title>16 at \d+: (\d+)<\/title>/g)!
    .map((title) => Number(title.match(/(\d+)<\/title>/)![1]));
  assertEquals(cells.reduce((sum, seen) => sum + seen), 600);
});

Deno.test("betanet-utls verify exits with 1 when hellos are told apart", async () => {
  const { code, stdout, stderr } = await runUtls([
    ...AGAINST_CORPUS,
    ...["--profile", "131"],
  ]);
  assertEquals(code, 1);
  assert(/^extension positions .* FAIL$/m.test(stdout), stdout);
  assert(/^AUC 1\.000, 95 % confidence 1\.000 to 1\.000/m.test(stdout), stdout);
  assert(/error: \d+ of \d+ checks failed/.test(stderr), stderr);
});

Deno.test("betanet-utls verify takes a profile's file, and hellos of another program", async () => {
  await using folder = await makeFolder();
  const profile = `${folder.path}/profile.json`;
  await Deno.writeTextFile(
    profile,
    JSON.stringify(profileJson(profileOf("latest"))),
  );
  const own = await runUtls([...AGAINST_CORPUS, "--profile", profile]);
  assertStringIncludes(own.stdout, "300 hellos of ours, 300 of the reference");

  const hellos = await writeHellos(folder.path, "fixed ECH length");
  const other = await runUtls([...AGAINST_CORPUS, "--hellos", hellos]);
  assertEquals(other.code, 1);
  assert(/^ECH payload length .* FAIL$/m.test(other.stdout), other.stdout);

  const few = await runUtls([
    ...["verify", "--reference", hellos, "--kind", "address"],
  ]);
  assertEquals(few.code, 1);
  assertStringIncludes(few.stderr, "Want 200 hellos or more, got 0");
});

Deno.test("betanet-utls verify and learn say which flag is wrong", async () => {
  const wrong = [
    ["verify", "--kind", "quic"],
    ["verify", "--count", "199"],
    ["verify", "--count", "many"],
    ["verify", "--auc", "0.53-0.47"],
    ["verify", "--auc", "half"],
    ["learn", "--count", "63"],
  ];
  for (const args of wrong) {
    const { code, stderr } = await runUtls(args);
    assertEquals(code, 2);
    assertStringIncludes(stderr, `error: Flag ${args[1]} wants `);
  }
});

Deno.test("betanet-utls verify refuses flags that another leaves without effect, and a report that cannot be written", async () => {
  const useless = [
    ["--profile", "131", "--hellos", "no.txt"],
    ["--browser", "chromium", "--reference", "no.txt"],
    ["--kind", "address", "--reference", CORPUS],
  ];
  for (const args of useless) {
    const { code, stderr } = await runUtls(["verify", ...args]);
    assertEquals(code, 2);
    assertStringIncludes(stderr, `Flag ${args[0]} has no effect`);
  }
  const report = ["--report", "./no/folder/report.html"];
  const { code, stdout } = await runUtls([...AGAINST_CORPUS, ...report]);
  assertEquals([code, stdout], [1, ""]);
});

Deno.test("betanet-utls verify --auc holds the classifier to an area", async () => {
  await using folder = await makeFolder();
  const hellos = ["--hellos", await writeHellos(folder.path)];
  const run = (auc: string) =>
    runUtls([...AGAINST_CORPUS, ...hellos, "--auc", auc]);
  assertEquals((await run("0.3-0.7")).code, 0);
  const outside = await run("0.9-1");
  assertEquals(outside.code, 1);
  assert(
    /error: AUC 0\.\d{3} is not in 0\.9 to 1/.test(outside.stderr),
    outside.stderr,
  );
});

Deno.test("betanet-utls verify and learn need a browser that runs", async () => {
  const missing = await runUtls(["verify", "--browser", "./no/browser"]);
  assertEquals(missing.code, 1);
  assertStringIncludes(missing.stderr, "error: Cannot start ./no/browser");
  assertStringIncludes(missing.stderr, "hint: Install a Chromium");
  const other = await runUtls(["learn", "--browser", Deno.execPath()]);
  assertEquals(other.code, 1);
  assertStringIncludes(other.stderr, "is no Chromium");
  const early = await runUtls(["verify", "--browser", Deno.execPath()]);
  assertEquals(early.code, 1);
  assertStringIncludes(early.stderr, "ended by itself, with code 1");
});

/** Writes 300 hellos, the same each time. */
async function writeHellos(
  folder: string,
  ...faults: readonly Fault[]
): Promise<string> {
  const path = `${folder}/hellos.txt`;
  const lines = simulateHellos(300, 1, ...faults)
    .map((hello) => encodeHex(encodeClientHello(hello)));
  await Deno.writeTextFile(path, lines.join("\n"));
  return path;
}

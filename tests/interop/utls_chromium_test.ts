import { assert, assertEquals } from "@std/assert";
import { browserVersion } from "../../cli/utls/browser.ts";
import { captureHellos } from "../../cli/utls/capture_hellos.ts";
import { learnBrowser } from "../../cli/utls/learn.ts";
import { drawSample, sampleOf } from "../../cli/utls/sample.ts";
import {
  checkProperties,
  type HelloKind,
  type Profile,
  profileJson,
  profileOf,
  profileVersions,
} from "../../src/utls/mod.ts";
import { runUtls } from "../cli/_run_utls.ts";
import { visibleRules } from "../utls/_visible_rules.ts";
import { isAvailable } from "./_peers.ts";

const ignore = !isAvailable("chromium", ["--version"], "utls_chromium_test");

const executable = "chromium";

/**
 * Hellos of each for the classifier. The standard error of the area under its curve is 0.0087 then, so that one of hellos that
 * nobody can tell apart leaves 0.47 to 0.53 once in 1,700 runs; the checks fail once in 1,000.
 */
const PAGES = 5_000;

/** Hellos of each other kind, for the checks alone. */
const OTHERS: readonly [HelloKind, number][] = [
  ["address", 1_000],
  ["resumed", 500],
  ["websocket", 100],
];

let learned: Promise<Profile> | undefined;

/** What is learned of the browser, once. */
function profile(): Promise<Profile> {
  return learned ??= learnBrowser(executable, 200, {
    note: () => {},
    signal: AbortSignal.timeout(60_000),
  });
}

async function capture(kind: HelloKind, count: number) {
  const { hellos } = await captureHellos({
    executable,
    wanted: { [kind]: count },
    signal: AbortSignal.timeout(120_000),
  });
  return sampleOf(hellos.map(({ hello }) => hello));
}

Deno.test({
  name:
    "what is learned of Chromium are the rules of the profile that ships for it",
  ignore,
  async fn() {
    const { version, record, hello, http2, navigation } = await profile();
    const installed = await browserVersion(
      executable,
      AbortSignal.timeout(10_000),
    );
    assert(installed.includes(` ${version}.`), installed);
    if (!profileVersions().includes(version)) {
      // deno-lint-ignore no-console -- a skipped test says why
      return console.warn(`utls_chromium_test: no profile of ${version} ships`);
    }
    const shipped = profileOf(version);
    assertEquals(record, shipped.record);
    assertEquals(hello, visibleRules(shipped));
    assertEquals(http2, shipped.http2);
    assertEquals(navigation.fields, shipped.navigation.fields);
  },
});

Deno.test({
  name:
    `${PAGES} hellos drawn as learned are not told from ${PAGES} of Chromium`,
  ignore,
  async fn() {
    const path = await Deno.makeTempFile();
    try {
      const json = JSON.stringify(profileJson(await profile()));
      await Deno.writeTextFile(path, json);
      const { code, stdout, stderr } = await runUtls([
        ...["verify", "--json", "--profile", path],
        ...["--count", `${PAGES}`, "--auc", "0.47-0.53"],
      ]);
      assertEquals(code, 0, stdout + stderr);
      const { pass, samples } = JSON.parse(stdout);
      assert(pass);
      assertEquals(samples, { ours: PAGES, reference: PAGES });
    } finally {
      await Deno.remove(path);
    }
  },
});

for (const [kind, count] of OTHERS) {
  Deno.test({
    name: `${count} hellos of kind ${kind} pass every check against Chromium's`,
    ignore,
    async fn() {
      const reference = await capture(kind, count);
      const ours = drawSample(await profile(), kind, reference);
      const failed = checkProperties(ours.observations, reference.observations)
        .filter(({ pass }) => !pass);
      assertEquals(failed, []);
    },
  });
}

Deno.test({
  name: "Chromium sends nothing off this machine while hellos are captured",
  ignore: ignore || !isAvailable("strace", ["--version"], "utls_chromium_test"),
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const traced = `${folder}/chromium`;
      await Deno.writeTextFile(
        traced,
        `#!/bin/sh\nexec strace -f -qq -e trace=connect,sendto,sendmsg,sendmmsg -o '${folder}/log' ${executable} "$@"\n`,
        { mode: 0o700 },
      );
      await captureHellos({
        executable: traced,
        wanted: { page: 100, websocket: 2 },
        signal: AbortSignal.timeout(60_000),
      });
      const log = await Deno.readTextFile(`${folder}/log`);
      const reached = new Set(
        [...log.matchAll(/inet_(?:addr\(|pton\(AF_INET6, )"([^"]+)"/g)]
          .map(([, address]) => address!),
      );
      assert(reached.delete("127.0.0.1"));
      reached.delete("2001:4860:4860::8888"); // a UDP socket asks which route there is, and sends nothing
      assertEquals([...reached], []);
      assert(!/send.*2001:4860:4860::8888/.test(log));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

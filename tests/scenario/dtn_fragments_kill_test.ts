import { assertEquals } from "@std/assert";
import {
  bundleId,
  createBundle,
  decodeBundle,
  dtnTime,
  Eid,
  encodeBundle,
  fragmentBundle,
  payloadOf,
} from "../../src/dtn/mod.ts";
import { DtnNodeProcess } from "../cli/_dtn_process.ts";
import { makeFolder } from "../cli/_htx_process.ts";

Deno.test("fragments that a node acknowledged outlive SIGKILL, one after the other, and are one bundle at the end", async () => {
  await using folder = await makeFolder();
  const payload = crypto.getRandomValues(new Uint8Array(20_000));
  const whole = createBundle({
    source: Eid.parse("dtn://far/app"),
    destination: Eid.parse("dtn://us/in"),
    creation: { timeMs: dtnTime(Date.now()), sequence: 0 },
    lifetimeMs: 3_600_000,
    payload,
  });
  const fragments = fragmentBundle(whole, 6_000);
  assertEquals(fragments.length, 4);
  const start = () =>
    DtnNodeProcess.start({
      name: "us",
      state: folder.path,
      args: ["--listen", "tcpcl://127.0.0.1:0"],
    });
  for (const i of [2, 0, 3, 1]) {
    await using node = await start();
    assertEquals(await node.take("in"), undefined);
    await node.insert(encodeBundle(fragments[i]!));
    await node.kill();
  }
  {
    await using node = await start();
    assertEquals(await node.status("bundles"), [bundleId(whole)]);
    const bundle = decodeBundle((await node.take("in"))!);
    assertEquals(payloadOf(bundle), payload);
    await node.kill();
  }
  await using node = await start();
  assertEquals(await node.take("in"), undefined);
});

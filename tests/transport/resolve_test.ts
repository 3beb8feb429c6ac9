import { assert, assertRejects } from "@std/assert";
import { resolveHost } from "../../src/core/transport/mod.ts";
import { assertCode } from "../compliance/transport.ts";

Deno.test("resolveHost() gives the addresses of localhost", async () => {
  const addresses = await resolveHost("localhost");
  assert(addresses.length > 0);
  for (const address of addresses) {
    assert(["127.0.0.1", "::1"].includes(address), address);
  }
});

Deno.test("resolveHost() gives an address as it is", async () => {
  assert((await resolveHost("192.0.2.1")).includes("192.0.2.1"));
});

Deno.test("resolveHost() finds names that do not exist unreachable", async () => {
  await assertCode("unreachable", () => resolveHost("betanet.invalid"));
});

Deno.test("resolveHost() stops with its signal, before and during the wait", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const resolving = resolveHost("localhost", { signal });
  controller.abort(new Error("Enough"));
  await assertRejects(() => resolving, Error, "Enough");
  await assertRejects(
    () => resolveHost("localhost", { signal }),
    Error,
    "Enough",
  );
  await resolveHost("localhost"); // the one that nobody waits for ends meanwhile
});

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { makeFolder } from "./_htx_process.ts";
import { runHtx } from "./_run_htx.ts";

for (const role of ["server", "client"]) {
  Deno.test(`betanet-htx keygen --${role} makes keys for their owner alone, and never over others`, async () => {
    await using folder = await makeFolder();
    const path = `${folder.path}/${role}.json`;
    const args = ["keygen", `--${role}`, "--state", folder.path];
    const { code, stdout, stderr } = await runHtx(...args, "--json");
    assertEquals([code, stderr], [0, ""]);
    assertEquals(JSON.parse(stdout).path, path);
    assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
    const keys = await Deno.readTextFile(path);

    assertEquals(await runHtx(...args), {
      code: 1,
      stdout: "",
      stderr: `betanet-htx: error: There are keys in ${path} already
betanet-htx: hint: Move them away first, or choose another folder.
`,
    });
    await Deno.rename(path, `${path}.old`);
    await Deno.symlink(`${path}.gone`, path);
    assertEquals((await runHtx(...args)).code, 1);
    await Deno.remove(path);
    assertEquals((await runHtx(...args)).code, 0);
    assert(await Deno.readTextFile(path) !== keys);
  });
}

Deno.test("betanet-htx keygen prints what is public and nothing else", async () => {
  await using folder = await makeFolder();
  const state = ["--state", folder.path, "--json"];
  const client = JSON.parse((await runHtx("keygen", ...state)).stdout);
  assert(/^[\w-]{43}$/.test(client.publicKey));
  assertEquals(Object.keys(client), ["path", "publicKey"]);
  const server = JSON.parse(
    (await runHtx("keygen", "--server", ...state)).stdout,
  );
  assert(/^1220[0-9a-f]{64}$/.test(server.peerId), server.peerId);
  assert(/^[\w-]{43}$/.test(server.staticKey));
  assertEquals(Object.keys(server), ["path", "peerId", "staticKey"]);
  const file = JSON.parse(await Deno.readTextFile(server.path));
  assert(file.staticKey !== server.staticKey);
});

Deno.test("betanet-htx keygen wants a folder and one kind of keys", async () => {
  for (const args of [[], ["--server", "--client", "--state", "x"]]) {
    const { code, stderr } = await runHtx("keygen", ...args);
    assertEquals(code, 2);
    assertStringIncludes(stderr, "Want --state and one of --server, --client");
  }
});

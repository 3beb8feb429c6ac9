import { assertEquals } from "@std/assert";
import { VirtualClock } from "../../src/core/async/mod.ts";
import { encodeHex } from "../../src/core/bytes/mod.ts";
import { parseAddress, serveHttp } from "../../src/core/transport/mod.ts";
import { directory } from "../../src/mixnet/mod.ts";
import {
  Directories,
  STEP_MS,
  steps,
  submitAll,
  trustOf,
} from "../mixnet/directory/_authorities.ts";
import { EPOCH, EPOCH_MS, START_MS } from "../mixnet/directory/_network.ts";
import { isAvailable } from "./_peers.ts";

const NEXT = EPOCH + 1;

Deno.test({
  name:
    "directory: a peer in Python, written from docs/profile.md, verifies a document, counts its votes, and publishes a node",
  ignore: !isAvailable(
    "python3",
    ["-c", "import cryptography"],
    "directory_python_test",
  ),
  fn: async () => {
    const clock = new VirtualClock(START_MS);
    const trust = trustOf(2, 2);
    const directories = new Directories();
    const both = [0, 1].map((i) => directories.authority(i, trust, clock));
    submitAll(both);
    await steps(clock, both, EPOCH_MS + STEP_MS);
    const servers = both.map((authority) =>
      serveHttp(directory.directoryRequests({ authority, clock }), {
        hostname: "127.0.0.1",
        port: 0,
      })
    );
    await using _first = servers[0]!;
    await using _second = servers[1]!;
    const at = servers.map(({ address }) => {
      const { hostname, port } = parseAddress(address);
      return `${hostname}:${port}`;
    });
    const seen = await Promise.all(
      [at, at.toReversed()].map((addresses) =>
        peer(
          addresses.join(),
          trust.network,
          `${NEXT}`,
          `${trust.threshold}`,
          trust.authorities.map((key) => encodeHex(key)).join(),
        )
      ),
    );
    const idsIn = (epoch: number) =>
      both[0]!.document(epoch)!.nodes.map(({ identityKey }) =>
        encodeHex(identityKey)
      );
    for (const [i, saw] of seen.entries()) {
      const document = both[i]!.document(NEXT)!;
      assertEquals(saw.hash, encodeHex(document.hash));
      const layers = document.nodes.map(({ layer }) => layer);
      assertEquals(
        saw.nodes,
        idsIn(NEXT).map((id, j) => [layers[j], id]),
      );
      assertEquals(saw.refused, saw.changed);
      assertEquals([saw.agrees, saw.convicted], [true, 0]);
      assertEquals(
        saw.published,
        [204, 204, 409, 400, 413].map((status) => [status, status]),
      );
    }
    await steps(clock, both, EPOCH_MS);
    const published = seen.map(({ id }) => id);
    assertEquals(idsIn(NEXT + 1), [...idsIn(NEXT), ...published].sort());
  },
});

async function peer(...args: readonly string[]) {
  const path = new URL("_directory_peer.py", import.meta.url).pathname;
  const { code, stdout, stderr } = await new Deno.Command("python3", {
    args: [path, ...args],
  }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

import { assertEquals } from "@std/assert";
import { HANDSHAKE_TYPE } from "../../src/tls/messages/handshake_type.ts";
import { RECORD_SIZE_LIMIT } from "../../src/tls/record_size_limit.ts";
import { alertOf, EditedServer, rewrite } from "./_edited_peer.ts";
import { connect, newClient, offersOf, recordsOf } from "./_tls_pair.ts";

const OWN = Uint8Array.of(0x40, 1);

/** A client that says a limit, and a server whose EncryptedExtensions say `limit`. */
function pair(...limit: number[]) {
  const client = newClient(offersOf({ with: { [RECORD_SIZE_LIMIT]: OWN } }));
  const data = [0, RECORD_SIZE_LIMIT, 0, limit.length, ...limit];
  const server = new EditedServer(
    rewrite(
      HANDSHAKE_TYPE.encryptedExtensions,
      () => Uint8Array.of(0, data.length, ...data),
    ),
  );
  return { client, server };
}

Deno.test("TlsClient makes no longer records than the server's record_size_limit", () => {
  const { client, server } = pair(0, 100);
  connect(client, server);
  client.send(new Uint8Array(250));
  const output = client.takeOutput();
  const lengths = recordsOf(output).map(([, length]) => length);
  assertEquals(lengths, [116, 116, 69]); // 99, 99 and 52 bytes, the type and the tag
  server.receive(output);
});

for (
  const [limit, alertName] of [
    [[0, 63], "illegalParameter"],
    [[0], "decodeError"],
    [[0, 100, 0], "decodeError"],
  ] as const
) {
  Deno.test(`TlsClient answers a record_size_limit of ${limit} with ${alertName}`, () => {
    const { client, server } = pair(...limit);
    assertEquals(alertOf(client, server), alertName);
  });
}

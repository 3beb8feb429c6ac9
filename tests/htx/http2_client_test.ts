import { assert, assertEquals } from "@std/assert";
import { concat, decodeHex } from "../../src/core/bytes/mod.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import { MemoryNetwork } from "../../src/core/transport/mod.ts";
import { Http2Client } from "../../src/htx/http2_client.ts";
import type { Http2Request } from "../../src/htx/http2_request.ts";
import {
  CIPHER_SUITE,
  dialTls,
  listenTls,
  pinnedVerifier,
  serverCertificate,
} from "../../src/tls/mod.ts";
import {
  type Http2Habits,
  type Profile,
  profileOf,
} from "../../src/utls/mod.ts";
import { testCertificate } from "../tls/_certificates.ts";
import {
  type Capture,
  captures,
  flows,
  http2StartOf,
} from "../utls/_chrome_captures.ts";
import { overlay } from "./_world.ts";

const NEWEST = captures().at(-1)!;
const SETTINGS_ACK = "000000040100000000";

for (const capture of captures()) {
  Deno.test(`Http2Client says first what ${capture.file} does, byte for byte`, () => {
    const records = recordsOf(profileOf(capture.version), requestOf(capture));
    // Two builds had to acknowledge the server's SETTINGS first.
    const start = decodeHex(capture.h2.raw.replace(SETTINGS_ACK, ""));
    const said = concat(...records);
    assertEquals(said, start.subarray(0, said.length));
  });
}

Deno.test("the first records over TLS are as long as those of Chromium 156", async () => {
  const [hello, ...expected] = flows()["h2-normal"]![0]!
    .client_records_type_ver_len.slice(0, 4);
  assertEquals(hello![0], 22);
  const seen = await recordLengthsOverTls();
  assertEquals(
    seen.slice(0, expected.length),
    expected.map(([type, _, length]) => [type, length]),
  );
  assertEquals(seen.length, expected.length + 1); // HEADERS
});

Deno.test("Http2Client shares the first records as the profile says, and leaves a request out that waits", () => {
  const request = requestOf(NEWEST);
  const [greeting, headers] = recordsOf(profileWith(), request);
  const cut = [["preface"], ["settings", "windowUpdate", "headers"]] as const;
  assertEquals(recordsOf(profileWith(cut), request), [
    greeting!.subarray(0, 24),
    concat(greeting!.subarray(24), headers!),
  ]);
  const one = [["preface", "settings"], ["windowUpdate"], ["headers"]] as const;
  assertEquals(recordsOf(profileWith(one), request), [
    greeting!.subarray(0, -13),
    greeting!.subarray(-13),
    headers!,
  ]);
  assertEquals(recordsOf(profileWith(), undefined), [greeting!]);
  assertEquals(concat(...recordsOf(profileWith(cut), undefined)), greeting!);
});

function requestOf(capture: Capture): Http2Request {
  return { fields: http2StartOf(capture).fields, body: new Uint8Array(0) };
}

function recordsOf(profile: Profile, request: Http2Request | undefined) {
  return new Http2Client(profile, nodeProvider).opening(request);
}

function profileWith(firstRecords?: Http2Habits["firstRecords"]): Profile {
  const profile = profileOf(NEWEST.version);
  const http2 = { ...profile.http2, ...(firstRecords && { firstRecords }) };
  return { ...profile, http2 };
}

/** Type and length of each record that a browser's first request makes, its ClientHello left out. */
async function recordLengthsOverTls(): Promise<[number, number][]> {
  const { certPem: chainPem, keyPem, chain } = testCertificate("p256");
  const network = new MemoryNetwork();
  await using listener = listenTls(
    await network.transport("server").listen("memory://server"),
    {
      certificates: [serverCertificate({ chainPem, keyPem })],
      alpn: ["h2"],
      preferences: { suites: [CIPHER_SUITE.aes256GcmSha384] },
    },
  );
  const wire = await network.transport("client").dial(listener.address);
  const writes: Uint8Array[] = [];
  const recorded = overlay(wire, {
    write(bytes) {
      writes.push(bytes.slice());
      return wire.write(bytes);
    },
  });
  await using connection = await dialTls(recorded, {
    serverName: "server.example",
    verify: pinnedVerifier(chain[0]!),
    profile: profileOf(NEWEST.version),
    firstFlight: () => recordsOf(profileWith(), requestOf(NEWEST)),
  });
  assertEquals(connection.alpn, "h2");
  assert(writes.length === 2, "a hello, and the rest in one write");
  const records: [number, number][] = [];
  for (let rest = writes[1]!; rest.length > 0;) {
    const length = rest[3]! << 8 | rest[4]!;
    records.push([rest[0]!, length]);
    rest = rest.subarray(5 + length);
  }
  return records;
}

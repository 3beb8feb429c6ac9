import { assertEquals } from "@std/assert";
import {
  concat,
  encodeHex,
  utf8,
  Writer,
} from "../../../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../../../src/core/crypto/mod.ts";
import { beacon } from "../../../src/mixnet/mod.ts";
import keys from "../../vectors/x509/keys.json" with { type: "json" };
import x509 from "../../vectors/x509/x509.json" with { type: "json" };
import vector from "../../vectors/beacon/nist_pulse.json" with { type: "json" };
import { assertFails, valueOf, withServed } from "./_served.ts";

const { pulse } = vector;
const EPOCH_SECONDS = 60;
const MINUTE_MS = Date.parse(pulse.timeStamp);
/** Its middle of the epoch before is half a minute behind the pulse. */
const EPOCH = MINUTE_MS / 60_000 + 1;

Deno.test("nistBeacon() gives the hash of the output of the pulse of the minute", async () => {
  const asked: string[] = [];
  const value = await withServed(
    ({ url }) => {
      asked.push(new URL(url).pathname);
      return Response.json(vector);
    },
    (at) => valueOf(source(at), EPOCH),
  );
  assertEquals(asked, [`/pulse/time/${MINUTE_MS}`]);
  assertEquals(
    value && encodeHex(value),
    encodeHex(crypto.hash(
      "sha256",
      utf8("betanet-beacon-nist-v1"),
      Uint8Array.fromHex(pulse.outputValue),
    )),
  );
});

Deno.test("nistBeacon() gives nothing for a minute without a pulse", async () => {
  const ask = (response: () => Response, epoch: number) =>
    withServed(response, (at) => valueOf(source(at), epoch));
  const nearest = () => Response.json(vector);
  assertEquals(await ask(nearest, EPOCH + 1), undefined);
  const none = () => new Response(null, { status: 404 });
  assertEquals(await ask(none, EPOCH), undefined);
});

Deno.test("nistBeacon() refuses a pulse with any field changed", async () => {
  const hex = "5a".repeat(64);
  for (
    const change of [
      { uri: "https://example.org" },
      { version: "2.1" },
      { period: 60_001 },
      { certificateId: hex },
      { chainIndex: 3 },
      { pulseIndex: 1 },
      { timeStamp: "2026-07-10T10:56:00.001Z" },
      { localRandomValue: hex },
      { external: { ...pulse.external, statusCode: 1 } },
      { listValues: pulse.listValues.slice(1) },
      { listValues: undefined },
      { precommitmentValue: hex },
      { statusCode: 1 },
      { signatureValue: "5a".repeat(512) },
      { outputValue: hex },
    ]
  ) await refuse({ ...pulse, ...change }, "unverified");
  for (
    const change of [
      { cipherSuite: 1 },
      { period: 2 ** 32 },
      { period: -1 },
      { uri: 7 },
      { uri: "x".repeat(257) },
      { external: undefined },
      { listValues: [7] },
      { listValues: Array(17).fill({ value: hex }) },
      { outputValue: "5a" },
    ]
  ) await refuse({ ...pulse, ...change }, "malformed");
  await refuse(undefined, "malformed");
});

const RSA = Uint8Array.fromBase64(x509.certificates["rsa-by-root"]);
const CERTIFICATE_ID = crypto.hash("sha512", RSA);

/** Serves a pulse that names `certificateId` and is signed with the key `name`, and `certificate`. */
async function signedPulse(
  name: "rsa" | "caRsa",
  certificateId: Uint8Array = CERTIFICATE_ID,
  certificate: Uint8Array<ArrayBuffer> = RSA,
) {
  const key = await globalThis.crypto.subtle.importKey(
    "pkcs8",
    Uint8Array.fromBase64(keys[name]),
    { name: "RSASSA-PKCS1-v1_5", hash: "SHA-512" },
    false,
    ["sign"],
  );
  const id = encodeHex(certificateId);
  const signed = signedBytes({ ...pulse, certificateId: id });
  const signature = new Uint8Array(
    await globalThis.crypto.subtle.sign("RSASSA-PKCS1-v1_5", key, signed),
  );
  const made = {
    ...pulse,
    certificateId: id,
    signatureValue: encodeHex(signature),
    outputValue: encodeHex(crypto.hash("sha512", signed, signature)),
  };
  const asked: string[] = [];
  return {
    asked,
    respond({ url }: Request) {
      const { pathname } = new URL(url);
      asked.push(pathname.split("/")[1]!);
      if (pathname.startsWith("/pulse/")) return Response.json({ pulse: made });
      assertEquals(pathname, `/certificate/${encodeHex(CERTIFICATE_ID)}`);
      return new Response(
        `-----BEGIN CERTIFICATE-----\n${certificate.toBase64()}\n-----END CERTIFICATE-----\n`,
      );
    },
  };
}

Deno.test("nistBeacon() takes a pulse that the named certificate signed, and asks for that once", async () => {
  const { respond, asked } = await signedPulse("rsa");
  await withServed(respond, async (at) => {
    const pinned = source(at, CERTIFICATE_ID);
    assertEquals((await valueOf(pinned, EPOCH))?.length, 32);
    assertEquals((await valueOf(pinned, EPOCH))?.length, 32);
  });
  assertEquals(asked, ["pulse", "certificate", "pulse"]);
});

Deno.test("nistBeacon() refuses a pulse of another key or certificate, and a certificate of another hash", async () => {
  const changed = RSA.with(40, RSA[40]! ^ 1);
  for (
    const [{ respond }, message] of [
      [await signedPulse("caRsa"), "signature"],
      [await signedPulse("rsa", new Uint8Array(64)), "Another certificate's"],
      [
        await signedPulse("rsa", CERTIFICATE_ID, changed),
        "Another certificate",
      ],
    ] as const
  ) {
    await withServed(
      respond,
      (at) =>
        assertFails(source(at, CERTIFICATE_ID), EPOCH, "unverified", message),
    );
  }
  const gone = await signedPulse("rsa");
  await withServed(
    (request) =>
      request.url.includes("/certificate/")
        ? new Response(null, { status: 404 })
        : gone.respond(request),
    (at) => assertFails(source(at, CERTIFICATE_ID), EPOCH, "refused"),
  );
});

Deno.test("nistBeacon() refuses what has the certificate's hash and is none", async () => {
  for (const bytes of [RSA.slice(0, 300), new Uint8Array(8), RSA.with(0, 4)]) {
    const id = crypto.hash("sha512", bytes);
    const { respond } = await signedPulse("rsa", id, bytes);
    await withServed(
      (request) => {
        const { pathname } = new URL(request.url);
        return pathname.startsWith("/pulse/") ? respond(request) : new Response(
          `-----BEGIN CERTIFICATE-----${bytes.toBase64()}-----END CERTIFICATE-----`,
        );
      },
      (at) => assertFails(source(at, id), EPOCH, "malformed", "certificate"),
    );
  }
});

function source(
  at: { readonly url: string; readonly beaconFetch: beacon.BeaconFetch },
  certificateId?: Uint8Array,
): beacon.BeaconSource {
  return beacon.nistBeacon({
    ...at,
    crypto,
    epochSeconds: EPOCH_SECONDS,
    ...(certificateId && { certificateId }),
  });
}

function refuse(pulse: unknown, code: beacon.BeaconErrorCode): Promise<void> {
  return withServed(
    () => Response.json({ pulse }),
    (at) => assertFails(source(at), EPOCH, code),
  );
}

/** NISTIR 8213 §4.1, for the vector. */
function signedBytes(pulse: typeof vector.pulse) {
  const text = (value: string) => {
    const bytes = utf8(value);
    return concat(new Writer().u32(bytes.length).finish(), bytes);
  };
  const hex = (value: string) =>
    concat(new Writer().u32(64).finish(), Uint8Array.fromHex(value));
  const u32 = (value: number) => new Writer().u32(value).finish();
  const u64 = (value: number) => new Writer().u64(BigInt(value)).finish();
  return concat(
    ...[text(pulse.uri), text(pulse.version), u32(0), u32(60_000)],
    ...[hex(pulse.certificateId), u64(2), u64(1_853_305)],
    ...[text(pulse.timeStamp), hex(pulse.localRandomValue)],
    ...[hex(pulse.external.sourceId), u32(0), hex(pulse.external.value)],
    ...pulse.listValues.map(({ value }) => hex(value)),
    ...[hex(pulse.precommitmentValue), u32(0)],
  );
}

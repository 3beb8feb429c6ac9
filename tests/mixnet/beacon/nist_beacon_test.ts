import { assertEquals } from "@std/assert";
import {
  concat,
  encodeHex,
  utf8,
  Writer,
} from "../../../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../../../src/core/crypto/mod.ts";
import { beacon } from "../../../src/mixnet/mod.ts";
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

Deno.test("nistBeacon() verifies the signature under a key that it is given", async () => {
  const algorithm = {
    name: "RSASSA-PKCS1-v1_5",
    modulusLength: 2_048,
    publicExponent: Uint8Array.of(1, 0, 1),
    hash: "SHA-512",
  };
  const pair = () =>
    globalThis.crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const [ours, other] = [await pair(), await pair()];
  const spki = async ({ publicKey }: CryptoKeyPair) =>
    new Uint8Array(
      await globalThis.crypto.subtle.exportKey("spki", publicKey),
    );
  const signed = signedBytes();
  const signature = new Uint8Array(
    await globalThis.crypto.subtle.sign(
      algorithm.name,
      ours.privateKey,
      signed,
    ),
  );
  const made = {
    ...pulse,
    signatureValue: encodeHex(signature),
    outputValue: encodeHex(crypto.hash("sha512", signed, signature)),
  };
  const respond = () => Response.json({ pulse: made });
  const ourKey = await spki(ours);
  const value = await withServed(
    respond,
    (at) => valueOf(source(at, ourKey), EPOCH),
  );
  assertEquals(value?.length, 32);
  for (const key of [await spki(other), ourKey.slice(1)]) {
    await withServed(
      respond,
      (at) => assertFails(source(at, key), EPOCH, "unverified", "signature"),
    );
  }
});

function source(
  at: { readonly url: string; readonly beaconFetch: beacon.BeaconFetch },
  publicKeySpki?: Uint8Array,
): beacon.BeaconSource {
  return beacon.nistBeacon({
    ...at,
    crypto,
    epochSeconds: EPOCH_SECONDS,
    ...(publicKeySpki && { publicKeySpki }),
  });
}

function refuse(pulse: unknown, code: beacon.BeaconErrorCode): Promise<void> {
  return withServed(
    () => Response.json({ pulse }),
    (at) => assertFails(source(at), EPOCH, code),
  );
}

/** NISTIR 8213 §4.1, for the vector. */
function signedBytes() {
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

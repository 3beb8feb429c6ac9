import { generateKeyPairSync } from "node:crypto";
import { assert, assertEquals } from "@std/assert";
import type { Bytes } from "../../../src/core/bytes/mod.ts";
import {
  indexRoots,
  pathsToRoots,
} from "../../../src/tls/certificates/path.ts";
import { decodeX509 } from "../../../src/tls/certificates/x509_certificate.ts";
import {
  type CertificateSpec,
  encodeCertificate,
  extension,
} from "../../vectors/x509/_certificate.ts";
import keys from "../../vectors/x509/keys.json" with { type: "json" };

const key = Uint8Array.fromBase64(keys.ed25519);

Deno.test("pathsToRoots() finds each way through layers of certificates once", () => {
  const chain = [
    certificate("server", "layer 1", 0),
    ...[1, 2, 3].flatMap((layer) =>
      [0, 1, 2].map((serial) =>
        certificate(`layer ${layer}`, `layer ${layer + 1}`, serial)
      )
    ),
  ].map(decodeX509);
  const roots = indexRoots([certificate("layer 4", "layer 4", 9)]);
  const paths = [...pathsToRoots(chain, roots)];
  assertEquals(paths.length, 27);
  assertEquals(new Set(paths.map(serials)).size, 27);
  for (const path of paths) assertEquals(path.length, 5);
});

Deno.test("pathsToRoots() passes no name and key twice", () => {
  const loop = [
    certificate("server", "a", 0),
    certificate("a", "b", 1),
    certificate("b", "a", 2),
    certificate("a", "a", 3),
    certificate("b", "b", 4),
    certificate("a", "root", 5),
    certificate("b", "root", 6),
  ].map(decodeX509);
  const roots = indexRoots([certificate("root", "root", 9)]);
  const paths = [...pathsToRoots(loop, roots)];
  assertEquals(paths.map(serials).sort(), ["0 1 6 9", "0 5 9"]);
});

Deno.test("pathsToRoots() ends soon where many keys of one name issued each other", () => {
  const chain = ownKeys(9).map((own) =>
    certificate("X", "X", 0, { key: own, signer: own })
  );
  const startMs = performance.now();
  const roots = indexRoots([certificate("root", "root", 9)]);
  assertEquals([...pathsToRoots(chain.map(decodeX509), roots)], []);
  const elapsedMs = performance.now() - startMs;
  assert(elapsedMs < 500, `It took ${elapsedMs.toFixed()} ms`);
});

Deno.test("pathsToRoots() gives up after 100 steps", () => {
  const chain = [
    certificate("server", "layer 1", 0),
    ...[1, 2].flatMap((layer) =>
      Array.from(
        { length: 12 },
        (_, serial) =>
          certificate(`layer ${layer}`, `layer ${layer + 1}`, serial),
      )
    ),
  ].map(decodeX509);
  const roots = indexRoots([certificate("layer 3", "layer 3", 9)]);
  // each of the first layer takes 1 step, and 2 for each way on
  assertEquals([...pathsToRoots(chain, roots)].length, 48);
});

Deno.test("pathsToRoots() follows the issuer's key identifier first", () => {
  const keyIds = (own: number, issuer: number) => ({
    version: 3,
    extensions: [
      extension.subjectKeyId(Uint8Array.of(own)),
      extension.authorityKeyId(Uint8Array.of(issuer)),
    ],
  });
  const malformed = extension.wrap("2.5.29.35", Uint8Array.of(0x30));
  const chain = [
    certificate("server", "X", 0, keyIds(0, 3)),
    certificate("X", "root", 1, { version: 3, extensions: [malformed] }),
    ...ownKeys(3).map((own, i) =>
      certificate("X", "root", i + 2, { key: own, ...keyIds(i + 2, 9) })
    ),
  ].map(decodeX509);
  const roots = indexRoots([
    certificate("root", "root", 8, keyIds(8, 8)),
    certificate("root", "root", 9, keyIds(9, 9)),
  ]);
  assertEquals([...pathsToRoots(chain, roots)].map(serials), [
    "0 3 9",
    "0 3 8",
    "0 1 8",
    "0 1 9",
    "0 2 9",
    "0 2 8",
    "0 4 9",
    "0 4 8",
  ]);
});

Deno.test("pathsToRoots() needs a root, and finds none in an empty chain", () => {
  const chain = [decodeX509(certificate("server", "server", 0))];
  assertEquals([...pathsToRoots(chain, indexRoots([]))], []);
  assertEquals([...pathsToRoots([], indexRoots([]))], []);
  assert(indexRoots([new Uint8Array(3)]).size === 0);
});

function serials(path: readonly { serialNumber: Uint8Array }[]): string {
  return path.map(({ serialNumber }) => serialNumber[0]).join(" ");
}

/** Fresh private keys, PKCS #8. */
function ownKeys(count: number): Bytes[] {
  return Array.from({ length: count }, () => {
    const { privateKey } = generateKeyPairSync("ed25519");
    return new Uint8Array(privateKey.export({ format: "der", type: "pkcs8" }));
  });
}

function certificate(
  subject: string,
  issuer: string,
  serial: number,
  changes: Partial<CertificateSpec> = {},
): Bytes {
  const algorithm = "ed25519";
  return encodeCertificate({
    subject,
    issuer,
    key,
    signer: key,
    algorithm,
    serial,
    version: 1,
    ...changes,
  });
}

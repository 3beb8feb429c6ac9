import { assert, assertEquals } from "@std/assert";
import type { Bytes } from "../../../src/core/bytes/mod.ts";
import {
  indexRoots,
  pathsToRoots,
} from "../../../src/tls/certificates/path.ts";
import { decodeX509 } from "../../../src/tls/certificates/x509_certificate.ts";
import { encodeCertificate } from "../../vectors/x509/_certificate.ts";
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

Deno.test("pathsToRoots() needs a root, and finds none in an empty chain", () => {
  const chain = [decodeX509(certificate("server", "server", 0))];
  assertEquals([...pathsToRoots(chain, indexRoots([]))], []);
  assertEquals([...pathsToRoots([], indexRoots([]))], []);
  assert(indexRoots([new Uint8Array(3)]).size === 0);
});

function serials(path: readonly { serialNumber: Uint8Array }[]): string {
  return path.map(({ serialNumber }) => serialNumber[0]).join(" ");
}

function certificate(subject: string, issuer: string, serial: number): Bytes {
  const algorithm = "ed25519";
  return encodeCertificate({
    subject,
    issuer,
    key,
    signer: key,
    algorithm,
    serial,
    version: 1,
  });
}

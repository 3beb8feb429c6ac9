import { equal, Reader } from "../core/bytes/mod.ts";
import { EXTENSION, type ServerHello } from "../utls/mod.ts";
import type { ClientOffer } from "./client_offer.ts";
import { fatal } from "./error.ts";
import { findExtension } from "./messages/extensions.ts";
import { checkAnswers } from "./server_extensions.ts";
import { type Suite, suiteOf } from "./suite.ts";

const TLS_1_2 = 0x0303;
const TLS_1_3 = 0x0304;
/** Where a server that speaks TLS 1.3 was made to choose an older version (RFC 8446 §4.1.3). */
const DOWNGRADE = Uint8Array.fromHex("444f574e475244"); // and 01 or 00

/**
 * Checks what ServerHello and HelloRetryRequest have in common against what was offered, and gives the suite
 * (RFC 8446 §4.1.3, §4.1.4, §4.2.1).
 *
 * @param previous The suite of the HelloRetryRequest before this ServerHello.
 * @throws {TlsError} `protocol_version` for TLS 1.2 and older, else `illegal_parameter`, or as {@link checkAnswers}.
 */
export function checkServerHello(
  answer: "ServerHello" | "HelloRetryRequest",
  hello: ServerHello,
  offer: ClientOffer,
  offered: ReadonlySet<number>,
  previous: Suite | undefined,
): Suite {
  const extensions = hello.extensions ?? [];
  checkVersion(hello, offer);
  checkAnswers(answer, extensions, offered);
  if (!equal(hello.sessionId, offer.hello.sessionId)) {
    throw illegal("Session id is not echoed");
  }
  if (hello.compressionMethod !== 0) throw illegal("Compression is chosen");
  const suite = offer.cipherSuites.includes(hello.cipherSuite)
    ? suiteOf(hello.cipherSuite)
    : undefined;
  if (!suite) throw illegal(`Suite ${hello.cipherSuite} was not offered`);
  if (previous && suite !== previous) {
    throw illegal("Suite is not that of the HelloRetryRequest");
  }
  return suite;
}

function checkVersion(hello: ServerHello, offer: ClientOffer): void {
  const data = findExtension(
    hello.extensions ?? [],
    EXTENSION.supportedVersions,
  );
  if (!data) {
    if (equal(hello.random.subarray(24, 31), DOWNGRADE)) {
      throw illegal("Server was made to choose an old version"); // §4.1.3
    }
    throw fatal("protocolVersion", "Server does not speak TLS 1.3");
  }
  if (hello.legacyVersion !== TLS_1_2) {
    throw illegal(`legacy_version is ${hello.legacyVersion}`);
  }
  const r = new Reader(data, "supported_versions");
  const version = r.u16();
  r.end();
  if (version !== TLS_1_3 || !offer.versions?.includes(version)) {
    throw illegal(`Version ${version} is chosen`); // §4.2.1
  }
}

function illegal(message: string) {
  return fatal("illegalParameter", message);
}

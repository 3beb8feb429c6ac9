import { encodeHex, equal } from "../core/bytes/mod.ts";
import { type ClientHello, EXTENSION } from "../utls/mod.ts";
import type { ClientOffer } from "./client_offer.ts";
import { fatal } from "./error.ts";
import { checkRecordSizeLimit } from "./record_size_limit.ts";

const SSL_3_0 = 0x0300;
const TLS_1_3 = 0x0304;

/**
 * Fails unless `offer` is a ClientHello of TLS 1.3 that RFC 8446 allows; extensions and values that we do not know are
 * passed over (§4.2, RFC 8701).
 *
 * @throws {TlsError} Of the alert for the fault.
 */
export function checkClientOffer(offer: ClientOffer): void {
  checkVersion(offer);
  checkSuites(offer.hello);
  checkCompression(offer.hello);
  checkExtensionList(offer.hello);
  checkMissing(offer);
  checkKeyShares(offer);
  const { recordSizeLimit } = offer;
  if (recordSizeLimit !== undefined) checkRecordSizeLimit(recordSizeLimit);
}

/**
 * Fails unless `second` is `first` with no more changed than a HelloRetryRequest asks for (RFC 8446 §4.1.2): one key
 * share, of `group`; `cookie` as we sent it; no early data; padding as the client likes, and pre-shared keys if there were any.
 *
 * @throws {TlsError} Of the alert for the fault.
 */
export function checkRetriedOffer(
  first: ClientOffer,
  second: ClientOffer,
  { group, cookie }: { group: number; cookie?: Uint8Array | undefined },
): void {
  checkClientOffer(second);
  if (!sameButForRetry(first.hello, second.hello)) {
    throw fatal("illegalParameter", "The second hello is another one");
  }
  const shares = second.keyShares ?? [];
  if (shares.length !== 1 || shares[0]!.group !== group) {
    throw fatal("illegalParameter", "Want one key share, of the group asked");
  }
  if (second.earlyData) {
    throw fatal("illegalParameter", "Want no early data after a retry");
  }
  if (!cookie && second.cookie) {
    throw fatal("illegalParameter", "Want no cookie: none was sent");
  }
  if (second.psks && !first.psks) {
    throw fatal("illegalParameter", "Want no further pre-shared keys");
  }
  if (cookie && !second.cookie) {
    throw fatal("missingExtension", "Want the cookie back");
  }
  if (cookie && !equal(cookie, second.cookie!)) {
    throw fatal("illegalParameter", "Want the cookie as it was sent");
  }
}

/** §4.1.2, §4.2.1 and Appendix D.5. */
function checkVersion({ hello, versions }: ClientOffer): void {
  if (hello.legacyVersion <= SSL_3_0) {
    throw fatal("protocolVersion", "Want no hello of SSL");
  }
  if (!versions?.includes(TLS_1_3)) {
    throw fatal("protocolVersion", "Want TLS 1.3 offered");
  }
}

/** §4.1.2: `cipher_suites<2..2^16-2>`. */
function checkSuites({ cipherSuites }: ClientHello): void {
  if (cipherSuites.length === 0) {
    throw fatal("decodeError", "Want cipher suites");
  }
}

/** §4.1.2. */
function checkCompression({ compressionMethods }: ClientHello): void {
  if (compressionMethods.length !== 1 || compressionMethods[0] !== 0) {
    throw fatal("illegalParameter", "Want the null compression alone");
  }
}

/** §4.2 and §4.2.11; RFC 9001 §8.2. */
function checkExtensionList({ extensions = [] }: ClientHello): void {
  const types = new Set(extensions.map(({ type }) => type));
  if (types.size !== extensions.length) {
    throw fatal("illegalParameter", "Want each extension once");
  }
  if (
    types.has(EXTENSION.preSharedKey) &&
    extensions.at(-1)!.type !== EXTENSION.preSharedKey
  ) {
    throw fatal("illegalParameter", "Want pre_shared_key last");
  }
  if (types.has(EXTENSION.quicTransportParameters)) {
    throw fatal("unsupportedExtension", "Want no QUIC parameters over TCP");
  }
}

/** §9.2 and §4.2.9. */
function checkMissing(offer: ClientOffer): void {
  const { groups, keyShares, signatureSchemes, psks, pskModes } = offer;
  if (!groups !== !keyShares) {
    throw fatal("missingExtension", "Want key_share with supported_groups");
  }
  if (psks && !pskModes) {
    throw fatal("missingExtension", "Want psk_key_exchange_modes with a PSK");
  }
  if (psks && psks.binders.length !== psks.identities.length) { // §4.2.11
    throw fatal("illegalParameter", "Want a binder for each identity");
  }
  if (!psks && !(groups && signatureSchemes)) {
    throw fatal("missingExtension", "Want supported_groups and signatures");
  }
}

/** §4.2.8: each share of another group, in the order of supported_groups. */
function checkKeyShares({ groups = [], keyShares = [] }: ClientOffer): void {
  let next = 0;
  for (const { group } of keyShares) {
    const at = groups.indexOf(group, next);
    if (at < 0) {
      throw fatal("illegalParameter", "Want key shares as in supported_groups");
    }
    next = at + 1;
  }
}

const MAY_CHANGE: ReadonlySet<number> = new Set([
  EXTENSION.padding,
  EXTENSION.preSharedKey,
  EXTENSION.earlyData,
  EXTENSION.cookie,
  EXTENSION.keyShare,
]);

function sameButForRetry(first: ClientHello, second: ClientHello): boolean {
  const kept = fixedExtensions(first);
  const again = fixedExtensions(second);
  return first.legacyVersion === second.legacyVersion &&
    equal(first.random, second.random) &&
    equal(first.sessionId, second.sessionId) &&
    first.cipherSuites.join() === second.cipherSuites.join() &&
    kept.size === again.size &&
    [...kept].every(([type, data]) => again.get(type) === data);
}

/** In any order: the RFC asks for none. */
function fixedExtensions({ extensions = [] }: ClientHello) {
  return new Map(
    extensions
      .filter(({ type }) => !MAY_CHANGE.has(type))
      .map(({ type, data }) => [type, encodeHex(data)]),
  );
}

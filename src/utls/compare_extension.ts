import { DecodeError } from "../core/bytes/mod.ts";
import { type ClientHello, extensionOf } from "./client_hello.ts";
import { EXTENSION } from "./extension.ts";
import {
  type Code,
  type EncryptedClientHelloRule,
  type ExtensionRule,
  GREASE,
  type GreaseRule,
  type KeyShareRule,
  type TrustAnchorsRule,
} from "./extension_rule.ts";
import {
  echOf,
  keySharesOf,
  readCookie,
  readTrustAnchors,
} from "./extension_data.ts";
import { isGrease } from "./grease.ts";
import { protocolsOf, readServerName } from "./hello_kind.ts";
import { serverNameFor } from "./host_name.ts";
import { GROUP, KEY_SHARE_LENGTH } from "./key_share.ts";
import { readPsks } from "./psk_extension.ts";
import { u16List } from "./u16_list.ts";
import { isReducedMlKemKey } from "./verify/ml_kem_key.ts";

/** What a rule makes and what a hello has, alike if the rule can make it. */
export type Comparison = readonly [expected: string, found: string];

/** Compares the data of one extension, `undefined` if `hello` lacks it, with what `rule` makes. */
export function compareExtension(
  rule: Exclude<ExtensionRule, GreaseRule>,
  data: Uint8Array | undefined,
  hello: ClientHello,
  aesHardware: boolean,
): Comparison {
  try {
    return data === undefined
      ? [mayLack(rule, hello) ? "absent" : "present", "absent"]
      : compareData(rule, data, hello, aesHardware);
  } catch (error) {
    return malformed(error);
  }
}

/** One key with a binder as long as the hash of a suite of TLS 1.3, where `hello` resumes. */
export function comparePsk(hello: ClientHello): Comparison {
  const expected = "1 key, binder of 32 or 48 bytes";
  const data = extensionOf(hello, EXTENSION.preSharedKey);
  if (!data) return ["absent", "absent"];
  try {
    const [first, ...more] = readPsks(data);
    const length = first?.binderLength ?? 0;
    const isOne = more.length === 0 && first && first.identity.length > 0;
    return [
      expected,
      isOne && (length === 32 || length === 48)
        ? expected
        : `${more.length + 1} keys, first binder of ${length} bytes`,
    ];
  } catch (error) {
    return malformed(error);
  }
}

function malformed(error: unknown): Comparison {
  if (!(error instanceof DecodeError)) throw error;
  return ["well formed", "malformed"];
}

/** `codes` as four hex digits each, GREASE values as such. */
export function codesText(codes: readonly Code[]): string {
  return codes.map((code) =>
    code === GREASE || isGrease(code) ? GREASE : hex(code)
  ).join(" ");
}

function mayLack(rule: ExtensionRule, hello: ClientHello): boolean {
  switch (rule.rule) {
    case "serverName":
    case "cookie":
      return true;
    case "applicationSettings":
      return !offeredBy(hello).some((name) => rule.protocols.includes(name));
    default:
      return false;
  }
}

function offeredBy(hello: ClientHello): string[] {
  const data = extensionOf(hello, EXTENSION.alpn);
  return data ? protocolsOf(data) : [];
}

function compareData(
  rule: Exclude<ExtensionRule, GreaseRule>,
  data: Uint8Array,
  hello: ClientHello,
  aesHardware: boolean,
): Comparison {
  switch (rule.rule) {
    case "constant":
      return [rule.data.toHex() || "empty", data.toHex() || "empty"];
    case "serverName":
      return ["a host name", hostText(readServerName(data))];
    case "cookie":
      return readCookie(data) && ["present", "present"];
    case "supportedGroups":
    case "signatureAlgorithms":
      return [codesText(rule.codes), codesText(u16List(data, rule.rule))];
    case "supportedVersions":
      return [codesText(rule.codes), codesText(u16List(data, rule.rule, 1))];
    case "alpn": {
      const found = protocolsOf(data).join();
      const offers = [rule.page.join(), rule.websocket.join()];
      return [offers.find((offer) => offer === found) ?? offers[0]!, found];
    }
    case "applicationSettings": {
      const offered = offeredBy(hello);
      const expected = rule.protocols.filter((name) => offered.includes(name));
      return [expected.join() || "absent", protocolsOf(data).join()];
    }
    case "keyShare":
      return compareKeyShare(rule, hello);
    case "encryptedClientHello":
      return compareEch(rule, hello, aesHardware);
    case "trustAnchors":
      return compareTrustAnchors(rule, data);
  }
}

/** After a HelloRetryRequest the only share is of another group that the hello supports, without GREASE. */
function compareKeyShare(
  { groups }: KeyShareRule,
  hello: ClientHello,
): Comparison {
  const supported = u16List(
    extensionOf(hello, EXTENSION.supportedGroups),
    "supported_groups",
  );
  const shares = keySharesOf(hello);
  const [only] = shares;
  const asked = Object.values(GROUP).find((group) => group === only?.[0]);
  const retried = shares.length === 1 && asked !== undefined &&
    supported.includes(asked) && !groups.includes(asked);
  const expected = (retried ? [asked] : groups).map((group) =>
    group === GREASE
      ? `${GREASE} as in groups: 00`
      : `${hex(group)}: ${KEY_SHARE_LENGTH[group]} bytes`
  );
  const found = shares.map(([group, key]) =>
    isGrease(group) && supported.includes(group)
      ? `${GREASE} as in groups: ${key.toHex()}`
      : `${hex(group)}: ${key.length} bytes${keyFault(group, key)}`
  );
  return [expected.join(", "), `${found.join(", ")}${repetition(shares)}`];
}

/** What shows that `key` is no public key of `group`. */
function keyFault(group: number, key: Uint8Array): string {
  const isKey = isPublicKey(group, key);
  return isKey ? "" : " that are no key";
}

function isPublicKey(group: number, key: Uint8Array): boolean {
  switch (group) {
    case GROUP.x25519:
      return mayBeX25519(key);
    case GROUP.x25519MlKem768:
      return isReducedMlKemKey(key.subarray(0, -32)) &&
        mayBeX25519(key.subarray(-32));
    case GROUP.x25519Kyber768Draft00:
      return mayBeX25519(key.subarray(0, 32)) &&
        isReducedMlKemKey(key.subarray(32));
    default:
      return key[0] === UNCOMPRESSED_POINT;
  }
}

function hostText(name: string): string {
  try {
    if (serverNameFor(name) === name) return "a host name";
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  return "no host name as browsers send it";
}

const UNCOMPRESSED_POINT = 4;

/** What no browser sends: an X25519 key in two shares. */
function repetition(shares: readonly [number, Uint8Array][]): string {
  const keys = shares.flatMap(([group, key]) => {
    switch (group) {
      case GROUP.x25519:
        return [key];
      case GROUP.x25519MlKem768:
        return [key.subarray(-32)];
      case GROUP.x25519Kyber768Draft00:
        return [key.subarray(0, 32)];
      default:
        return [];
    }
  });
  return new Set(keys.map((key) => key.toHex())).size < keys.length
    ? ", one X25519 key twice"
    : "";
}

/** Whether `key` has the form of a u-coordinate that a private key leads to; zero is not of one. */
function mayBeX25519(key: Uint8Array): boolean {
  return key.length === 32 && key[31]! < 0x80 && key.some((byte) => byte > 0);
}

function compareEch(
  { kdf, aead, aeadWithoutAesHardware, payloadBytes }: EncryptedClientHelloRule,
  hello: ClientHello,
  aesHardware: boolean,
): Comparison {
  const found = echOf(hello)!;
  const { length } = found.payload;
  const lengths = payloadBytes.includes(length) ? [length] : payloadBytes;
  const expectedAead = aesHardware ? aead : aeadWithoutAesHardware;
  const key = mayBeX25519(found.enc) ? "X25519 key" : "no X25519 key";
  return [
    `KDF ${kdf}, AEAD ${expectedAead}, X25519 key, ${
      lengths.join(" or ")
    } bytes`,
    `KDF ${found.kdf}, AEAD ${found.aead}, ${key}, ${length} bytes`,
  ];
}

function compareTrustAnchors(
  { ids, order }: TrustAnchorsRule,
  data: Uint8Array,
): Comparison {
  const found = readTrustAnchors(data).map((id) => id.toHex());
  const expected = ids.map((id) => id.toHex());
  if (order !== "build") {
    expected.sort();
    found.sort();
  }
  return [expected.join(" "), found.join(" ")];
}

function hex(code: number): string {
  return code.toString(16).padStart(4, "0");
}

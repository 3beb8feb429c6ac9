import type { Bytes } from "../core/bytes/mod.ts";
import { EXTENSION } from "./extension.ts";
import { isGrease } from "./grease.ts";
import type { JsonPart } from "./json_part.ts";
import { GROUP, type Group } from "./key_share.ts";

/** Stands for one of the 16 values of RFC 8701 §2, drawn for each connection. */
export const GREASE = "GREASE";

/** A number on the wire, or {@link GREASE} in its place. */
export type Code = number | typeof GREASE;

/** How long a draw holds: for one connection, for the life of the process, or for ever. */
export type Scope = "connection" | "process" | "build";

/** How one extension of a profile's hello is made. */
export type ExtensionRule =
  | ConstantRule
  | GreaseRule
  | CodesRule
  | KeyShareRule
  | AlpnRule
  | ApplicationSettingsRule
  | EncryptedClientHelloRule
  | TrustAnchorsRule
  | BareRule;

/** The same bytes in every hello. */
export interface ConstantRule {
  /** Which kind of rule. */
  readonly rule: "constant";
  /** Its extension. */
  readonly type: number;
  /** The bytes. */
  readonly data: Bytes;
}

/** An extension of a GREASE type; the first and the last of a hello, which no permutation moves. */
export interface GreaseRule {
  /** Which kind of rule. */
  readonly rule: "grease";
  /** The bytes. */
  readonly data: Bytes;
}

/** A length, then numbers of two bytes each: supported_groups, signature_algorithms, supported_versions. */
export interface CodesRule {
  /** Which kind of rule. */
  readonly rule:
    | "supportedGroups"
    | "signatureAlgorithms"
    | "supportedVersions";
  /** Its extension. */
  readonly type: number;
  /** The numbers in the order sent. */
  readonly codes: readonly Code[];
}

/** key_share: fresh keys, for {@link GREASE} the single byte 0 under the GREASE value of supported_groups. */
export interface KeyShareRule {
  /** Which kind of rule. */
  readonly rule: "keyShare";
  /** Its extension. */
  readonly type: number;
  /** The groups in the order sent. */
  readonly groups: readonly (Group | typeof GREASE)[];
}

/** application_layer_protocol_negotiation. */
export interface AlpnRule {
  /** Which kind of rule. */
  readonly rule: "alpn";
  /** Its extension. */
  readonly type: number;
  /** The protocols offered for pages. */
  readonly page: readonly string[];
  /** The protocols offered for WebSockets. */
  readonly websocket: readonly string[];
}

/** ALPS (draft-vvv-tls-alps): sent with those of its protocols that ALPN offers, left out without one. */
export interface ApplicationSettingsRule {
  /** Which kind of rule. */
  readonly rule: "applicationSettings";
  /** 17513 or 17613. */
  readonly type: number;
  /** The protocols that have settings. */
  readonly protocols: readonly string[];
}

/** GREASE for encrypted_client_hello (RFC 9849 §6.2): a real X25519 key, a random payload, one byte of GREASE seed as config id. */
export interface EncryptedClientHelloRule {
  /** Which kind of rule. */
  readonly rule: "encryptedClientHello";
  /** Its extension. */
  readonly type: number;
  /** HPKE KDF. */
  readonly kdf: number;
  /** HPKE AEAD where the CPU has AES instructions. */
  readonly aead: number;
  /** HPKE AEAD where it has not. */
  readonly aeadWithoutAesHardware: number;
  /** Lengths of the payload in bytes, each as likely as the others. */
  readonly payloadBytes: readonly number[];
}

/** trust_anchors (draft-ietf-tls-trust-anchor-ids): a list of identifiers. */
export interface TrustAnchorsRule {
  /** Which kind of rule. */
  readonly rule: "trustAnchors";
  /** Its extension. */
  readonly type: number;
  /** The identifiers. */
  readonly ids: readonly Bytes[];
  /** For how long a permutation of them holds; `build`: as listed. */
  readonly order: Scope;
}

/** Made from what the connection is for alone: the host name, or the cookie of a HelloRetryRequest, which is absent before. */
export interface BareRule {
  /** Which kind of rule. */
  readonly rule: "serverName" | "cookie";
  /** Its extension. */
  readonly type: number;
}

const NAMES = [
  "grease",
  ...Object.keys(EXTENSION) as (keyof typeof EXTENSION)[],
] as const;

const SCOPES = ["connection", "process", "build"] as const;

/** Reads `"connection"`, `"process"` or `"build"`. */
export function parseScope(part: JsonPart): Scope {
  return part.oneOf(SCOPES);
}

/** Reads a list of codes: `"GREASE"` or four hex digits each, none twice, and one at least that is not GREASE. */
export function parseCodes(part: JsonPart): Code[] {
  const codes = new Set<Code>();
  for (const entry of part.list()) {
    const code = parseCode(entry);
    if (codes.has(code)) throw entry.fault(`${entry.string()} again`);
    codes.add(code);
  }
  if (codes.size === (codes.has(GREASE) ? 1 : 0)) {
    throw part.fault("Expected a code besides GREASE");
  }
  return [...codes];
}

function parseCode(part: JsonPart): Code {
  const text = part.string();
  if (text === GREASE) return GREASE;
  if (!/^[0-9a-f]{4}$/.test(text)) {
    throw part.unlike(`"${GREASE}" or four lower-case hex digits`);
  }
  const code = Number.parseInt(text, 16);
  if (isGrease(code)) throw part.unlike(`"${GREASE}" for its values`);
  return code;
}

/**
 * Reads the rule of one extension: an object with its `name` of {@link EXTENSION}, `"grease"`, or the number `type` of one that
 * has no name here, and what its rule has.
 *
 * @throws {UtlsError} `profile`.
 */
export function parseExtensionRule(part: JsonPart): ExtensionRule {
  if (part.field("type").present) {
    const { type, data } = part.fields(["type", "data"]);
    return { rule: "constant", type: parseType(type), data: data.hex() };
  }
  const name = nameOf(part);
  if (name === "grease") {
    return { rule: name, data: part.fields(["name", "data"]).data.hex() };
  }
  const type = EXTENSION[name];
  switch (name) {
    case "supportedGroups":
    case "signatureAlgorithms": {
      const { codes } = part.fields(["name", "codes"]);
      return { rule: name, type, codes: parseCodes(codes) };
    }
    case "supportedVersions":
      return { rule: name, type, codes: parseVersions(part) };
    case "serverName":
    case "cookie":
      part.fields(["name"]);
      return { rule: name, type };
    case "keyShare":
      return { rule: name, type, groups: parseGroups(part) };
    case "alpn": {
      const { page, websocket } = part.fields(["name", "page", "websocket"]);
      return {
        rule: name,
        type,
        page: parseProtocols(page),
        websocket: parseProtocols(websocket),
      };
    }
    case "applicationSettings":
    case "applicationSettingsOld": {
      const { protocols } = part.fields(["name", "protocols"]);
      return {
        rule: "applicationSettings",
        type,
        protocols: parseProtocols(protocols),
      };
    }
    case "encryptedClientHello":
      return parseEncryptedClientHello(part, type);
    case "trustAnchors": {
      const { ids, order } = part.fields(["name", "ids", "order"]);
      return {
        rule: name,
        type,
        ids: ids.list().map(parseTrustAnchor),
        order: parseScope(order),
      };
    }
    default:
      return {
        rule: "constant",
        type,
        data: part.fields(["name", "data"]).data.hex(),
      };
  }
}

/** A type that {@link EXTENSION} does not name: those that it does have rules of their own. */
function parseType(part: JsonPart): number {
  const type = part.integer(0, 0xffff);
  const known = Object.entries(EXTENSION).find(([, value]) => value === type);
  const name = isGrease(type) ? "grease" : known?.[0];
  if (name !== undefined) throw part.unlike(`the name "${name}" for it`);
  return type;
}

function nameOf(part: JsonPart): typeof NAMES[number] {
  const name = part.field("name");
  const known = name.oneOf(NAMES);
  switch (known) {
    case "preSharedKey":
    case "padding":
      throw name.fault(`Unexpected ${known}, which follows from other rules,`);
    case "earlyData":
      throw name.fault(`Unexpected ${known}, which is never sent,`);
  }
  return known;
}

const TLS_1_3 = 0x0304;
const MAX_VERSIONS = 127; // 2 bytes each behind a length of 1 byte

function parseVersions(part: JsonPart): Code[] {
  const { codes } = part.fields(["name", "codes"]);
  const versions = parseCodes(codes);
  if (versions.length > MAX_VERSIONS || !versions.includes(TLS_1_3)) {
    throw codes.unlike(`at most ${MAX_VERSIONS} versions with 0304`);
  }
  return versions;
}

function parseTrustAnchor(part: JsonPart): Bytes {
  const id = part.hex();
  if (id.length < 1 || id.length > 255) throw part.unlike("1 to 255 bytes");
  return id;
}

function parseGroups(part: JsonPart): (Group | typeof GREASE)[] {
  const { groups } = part.fields(["name", "groups"]);
  const known = Object.values(GROUP);
  return parseCodes(groups).map((code, at) => {
    if (code === GREASE) return code;
    const group = known.find((value) => value === code);
    if (group === undefined) {
      throw groups.fault(`Unknown key exchange group in place ${at}`);
    }
    return group;
  });
}

function parseProtocols(part: JsonPart): string[] {
  return part.list().map((entry) => {
    const protocol = entry.string();
    if (!/^[\x21-\x7e]{1,255}$/.test(protocol)) {
      throw entry.unlike("1 to 255 printable ASCII characters");
    }
    return protocol;
  });
}

function parseEncryptedClientHello(
  part: JsonPart,
  type: number,
): EncryptedClientHelloRule {
  const { kdf, aead, aeadWithoutAesHardware, payloadBytes } = part.fields([
    "name",
    "kdf",
    "aead",
    "aeadWithoutAesHardware",
    "payloadBytes",
  ]);
  const lengths = payloadBytes.list().map((entry) => entry.integer(17, 4_096));
  if (lengths.length === 0) throw payloadBytes.unlike("at least one length");
  return {
    rule: "encryptedClientHello",
    type,
    kdf: kdf.integer(0, 0xffff),
    aead: aead.integer(0, 0xffff),
    aeadWithoutAesHardware: aeadWithoutAesHardware.integer(0, 0xffff),
    payloadBytes: lengths,
  };
}

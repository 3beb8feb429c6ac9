import { type Bytes, Reader, utf8, Writer } from "../core/bytes/mod.ts";
import type { CryptoProvider } from "../core/crypto/mod.ts";
import { type ClientHello, encodeClientHello } from "./client_hello.ts";
import { EXTENSION } from "./extension.ts";
import type { Extension } from "./hello_parts.ts";
import {
  type Code,
  type EncryptedClientHelloRule,
  type ExtensionRule,
  GREASE,
  type KeyShareRule,
  type Scope,
  type TrustAnchorsRule,
} from "./extension_rule.ts";
import { serverNameFor } from "./host_name.ts";
import { generateKeyShare, type Group, type KeyShare } from "./key_share.ts";
import type { Offer, OfferedPsk } from "./offer.ts";
import { permutation } from "./permutation.ts";
import { type ProcessDraws, processDraws } from "./process_draws.ts";
import type { HelloRules, Profile } from "./profile.ts";
import { encodeOffer, pskExtensionLength } from "./psk_extension.ts";

/** What a hello is for, and where its randomness comes from. */
export interface DrawOptions {
  /** All randomness, and the keys of the shares. */
  readonly crypto: CryptoProvider;
  /** The host for SNI, sent as {@link serverNameFor} has it; none is sent without it or for an IP address. */
  readonly serverName?: string;
  /** What the connection is for, default `"page"`. */
  readonly variant?: "page" | "websocket";
  /** Protocols for ALPN, default those of the profile for the variant; empty leaves ALPN out. */
  readonly alpn?: readonly string[];
  /** A key of an earlier session to offer. */
  readonly psk?: OfferedPsk;
  /** Whether to appear on a CPU with AES instructions, default as the profile's source. */
  readonly aesHardware?: boolean;
  /** What connections of one browser share, default what this process drew for this profile object. */
  readonly process?: ProcessDraws;
  /** Makes the key shares, default {@link generateKeyShare} with `crypto`. */
  readonly keyShare?: (group: Group) => KeyShare;
}

/** Where in the GREASE seed of a connection each value comes from: as in BoringSSL, which leaves the last to Chromium. */
const SEED = {
  cipher: 0,
  supportedGroups: 1,
  firstExtension: 2,
  lastExtension: 3,
  supportedVersions: 4,
  configId: 6,
  signatureAlgorithms: 7,
} as const;

const SEED_BYTES = 8;

/**
 * Draws a ClientHello for a new connection, as the browser of `profile` would.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { defaultProvider, drawOffer, profileOf } from "./mod.ts";
 *
 * using offer = drawOffer(profileOf(119), {
 *   crypto: defaultProvider(),
 *   serverName: "www.example.com",
 * });
 * assertEquals(offer.hello.sessionId.length, 32);
 * ```
 *
 * @throws {RangeError} If a protocol or ticket is too long for its length field, or `process` was drawn for another profile.
 * @throws {TypeError} If `serverName` is neither a host name nor an IP address.
 */
export function drawOffer(profile: Profile, options: DrawOptions): Offer {
  const { crypto, psk } = options;
  const { hello: rules, source } = profile;
  const random = crypto.random(32);
  const sessionId = crypto.random(rules.sessionIdBytes);
  const variant = options.variant ?? "page";
  using made = new DisposableStack();
  const draw: Draw = {
    crypto,
    seed: crypto.random(SEED_BYTES),
    aesHardware: options.aesHardware ?? source.aesHardware,
    serverName: options.serverName === undefined
      ? undefined
      : serverNameFor(options.serverName),
    protocols: options.alpn ?? protocolsOf(rules, variant),
    shared: options.process ?? processDraws(profile, crypto),
    keyShare: (group) =>
      made.use(options.keyShare?.(group) ?? generateKeyShare(crypto, group)),
    keyShares: [],
  };
  const { extensions, ...place } = drawExtensions(rules, draw);
  const suites = draw.aesHardware
    ? rules.cipherSuites
    : rules.cipherSuitesWithoutAesHardware;
  const hello: ClientHello = {
    legacyVersion: rules.legacyVersion,
    random,
    sessionId,
    cipherSuites: withGrease(suites, greaseValue(draw.seed, SEED.cipher)),
    compressionMethods: rules.compressionMethods,
    extensions,
  };
  const encoded = encodeOffer(
    rules.padding ? padHello(hello, psk) : hello,
    psk,
  );
  const shares = made.move();
  return {
    ...encoded,
    keyShares: draw.keyShares,
    ...place,
    [Symbol.dispose]: () => shares.dispose(),
  };
}

/** What the extensions of one hello are drawn with. */
interface Draw {
  readonly crypto: CryptoProvider;
  readonly seed: Uint8Array;
  readonly aesHardware: boolean;
  readonly serverName: string | undefined;
  readonly protocols: readonly string[];
  readonly shared: ProcessDraws;
  readonly keyShare: (group: Group) => KeyShare;
  readonly keyShares: KeyShare[];
}

function protocolsOf(
  { extensions }: HelloRules,
  variant: "page" | "websocket",
): readonly string[] {
  return extensions.find((rule) => rule.rule === "alpn")?.[variant] ?? [];
}

/** The extensions in the order sent, and where among them a cookie would be. */
function drawExtensions(
  { extensions: rules, extensionOrder }: HelloRules,
  draw: Draw,
): { extensions: Extension[]; cookieIndex?: number } {
  const moving = rules.filter(({ rule }) => rule !== "grease");
  const order = orderOf(
    extensionOrder,
    moving.length,
    draw.shared.extensionOrder,
    draw.crypto,
  );
  const extensions: Extension[] = [];
  let cookieIndex: number | undefined;
  const add = (rule: ExtensionRule) => {
    if (rule.rule === "cookie") cookieIndex = extensions.length;
    const data = extensionData(rule, draw);
    if (data) extensions.push({ type: typeOf(rule, extensions, draw), data });
  };
  if (rules[0]?.rule === "grease") add(rules[0]);
  for (const place of order) add(moving[place]!);
  const last = rules.at(-1);
  if (last?.rule === "grease") add(last);
  return { extensions, ...cookieIndex !== undefined && { cookieIndex } };
}

function orderOf(
  scope: Scope,
  length: number,
  drawn: readonly number[],
  crypto: CryptoProvider,
): readonly number[] {
  switch (scope) {
    case "connection":
      return permutation(crypto, length);
    case "process":
      if (drawn.length === length) return drawn;
      throw new RangeError(
        `Expected process draws of ${length} places, got ${drawn.length}`,
      );
    case "build":
      return Array.from({ length }, (_, at) => at);
  }
}

/** The second GREASE type differs from the first, as BoringSSL has it. */
function typeOf(
  rule: ExtensionRule,
  before: readonly Extension[],
  { seed }: Draw,
): number {
  if (rule.rule !== "grease") return rule.type;
  const first = greaseValue(seed, SEED.firstExtension);
  if (before.length === 0) return first;
  const last = greaseValue(seed, SEED.lastExtension);
  return last === first ? last ^ 0x1010 : last;
}

/** The data of one extension, or `undefined` if this hello has none of it. */
function extensionData(rule: ExtensionRule, draw: Draw): Bytes | undefined {
  switch (rule.rule) {
    case "constant":
    case "grease":
      return rule.data;
    case "cookie":
      return undefined;
    case "serverName":
      return draw.serverName === undefined
        ? undefined
        : serverNameData(draw.serverName);
    case "alpn":
      return draw.protocols.length > 0
        ? protocolsData(draw.protocols)
        : undefined;
    case "applicationSettings": {
      const offered = rule.protocols.filter((name) =>
        draw.protocols.includes(name)
      );
      return offered.length > 0 ? protocolsData(offered) : undefined;
    }
    case "supportedGroups":
    case "signatureAlgorithms":
      return codesData(rule.codes, 2, greaseValue(draw.seed, SEED[rule.rule]));
    case "supportedVersions":
      return codesData(rule.codes, 1, greaseValue(draw.seed, SEED[rule.rule]));
    case "keyShare":
      return keyShareData(rule, draw);
    case "encryptedClientHello":
      return echData(rule, draw);
    case "trustAnchors":
      return trustAnchorsData(rule, draw);
  }
}

function greaseValue(seed: Uint8Array, index: number): number {
  return (seed[index]! & 0xf0 | 0x0a) * 0x0101;
}

function withGrease(codes: readonly Code[], grease: number): number[] {
  return codes.map((code) => code === GREASE ? grease : code);
}

function serverNameData(name: string): Bytes {
  const bytes = utf8(name);
  return new Writer().u16(bytes.length + 3).u8(0).u16(bytes.length).put(bytes)
    .finish();
}

function protocolsData(protocols: readonly string[]): Bytes {
  const list = new Writer();
  for (const name of protocols) {
    const bytes = utf8(name);
    list.u8(bytes.length).put(bytes);
  }
  return new Writer().u16(list.length).put(list.finish()).finish();
}

function codesData(
  codes: readonly Code[],
  lengthBytes: 1 | 2,
  grease: number,
): Bytes {
  const w = new Writer();
  if (lengthBytes === 1) w.u8(2 * codes.length);
  else w.u16(2 * codes.length);
  for (const code of withGrease(codes, grease)) w.u16(code);
  return w.finish();
}

function keyShareData({ groups }: KeyShareRule, draw: Draw): Bytes {
  const list = new Writer(1_400);
  for (const group of groups) {
    if (group === GREASE) {
      list.u16(greaseValue(draw.seed, SEED.supportedGroups)).u16(1).u8(0);
      continue;
    }
    const share = draw.keyShare(group);
    draw.keyShares.push(share);
    list.u16(group).u16(share.publicKey.length).put(share.publicKey);
  }
  return new Writer(list.length + 2).u16(list.length).put(list.finish())
    .finish();
}

function echData(
  { kdf, aead, aeadWithoutAesHardware, payloadBytes }: EncryptedClientHelloRule,
  { crypto, seed, aesHardware }: Draw,
): Bytes {
  const draw = new Reader(crypto.random(4), "draw").u32();
  const length = payloadBytes[draw % payloadBytes.length]!;
  return new Writer(length + 42)
    .u8(0) // outer
    .u16(kdf)
    .u16(aesHardware ? aead : aeadWithoutAesHardware)
    .u8(seed[SEED.configId]!)
    .u16(32)
    .put(crypto.x25519.publicKey(crypto.random(32)))
    .u16(length)
    .put(crypto.random(length))
    .finish();
}

function trustAnchorsData(
  { ids, order }: TrustAnchorsRule,
  { crypto, shared }: Draw,
): Bytes {
  const list = new Writer(256);
  const places = orderOf(order, ids.length, shared.trustAnchorOrder, crypto);
  for (const place of places) {
    const id = ids[place]!;
    list.u8(id.length).put(id);
  }
  return new Writer(list.length + 2).u16(list.length).put(list.finish())
    .finish();
}

/** Pads a message of 256 to 511 bytes to 512, which some servers cannot read (BoringSSL `ssl_add_clienthello_tlsext`). */
function padHello(
  hello: ClientHello,
  psk: OfferedPsk | undefined,
): ClientHello {
  const length = encodeClientHello(hello).length +
    (psk ? pskExtensionLength(psk) : 0);
  if (length < 256 || length > 511) return hello;
  const data = new Uint8Array(Math.max(1, 512 - length - 4));
  return {
    ...hello,
    extensions: [
      ...hello.extensions ?? [],
      { type: EXTENSION.padding, data },
    ],
  };
}

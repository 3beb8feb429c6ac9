import { encodeHex } from "../../core/bytes/mod.ts";
import {
  type ClientHello,
  encodeClientHello,
  extensionOf,
} from "../client_hello.ts";
import { EXTENSION } from "../extension.ts";
import { echOf, type EchOuter, keySharesOf } from "../extension_data.ts";
import { isGrease } from "../grease.ts";
import { offeredPskOf } from "../hello_kind.ts";
import { GROUP } from "../key_share.ts";
import { u16List } from "../u16_list.ts";
import { isComputedX25519Key } from "./curve25519.ts";
import { maskedParts } from "./masked_parts.ts";
import { isReducedMlKemKey } from "./ml_kem_key.ts";

/** The types by which {@link Observation.order} names GREASE extensions: the first one, and every later one. */
export const GREASE_FIRST = 0x0a0a;
/** See {@link GREASE_FIRST}. */
export const GREASE_LATER = 0x1a1a;

/** What must look random in a hello. */
export interface RandomField {
  /** Its bytes. */
  readonly bytes: Uint8Array;
  /** Of a public key, whether it can be one, as far as that shows without the private key. */
  readonly isKey?: boolean;
  /** Whether the server chose it: it must not come again, and nothing else is asked of it. */
  readonly isTicket?: boolean;
}

/** What is compared of one hello. A source that did not keep something leaves it out, and it is not compared. */
export interface Observation {
  /** Extension types in the order sent, GREASE as {@link GREASE_FIRST} and {@link GREASE_LATER}. */
  readonly order: readonly number[];
  /** The upper four bits of each GREASE value, by the list it stands in. */
  readonly grease: Readonly<Record<string, number>>;
  /** Of the ECH extension, if there is one. */
  readonly ech?: {
    /** Length of the payload. */
    readonly payloadLength: number;
    /** `config_id`. */
    readonly configId: number;
  };
  /** The identifiers of trust_anchors in the order sent. */
  readonly trustAnchors?: string;
  /** Everything that is not drawn by chance, with what is drawn masked, by the part of the hello. */
  readonly parts?: Readonly<Record<string, string>>;
  /** What must look random, by the part of the hello. */
  readonly random?: Readonly<Record<string, RandomField>>;
  /** Bytes of the message without server name and padding. */
  readonly length?: number;
}

/**
 * Reduces `hello` to what {@link verifyHellos} compares.
 *
 * @throws {DecodeError} If an extension that is looked into does not decode.
 */
export function observe(hello: ClientHello): Observation {
  const ech = echOf(hello);
  const unpadded = encodeClientHello({
    ...hello,
    extensions: (hello.extensions ?? []).filter(({ type }) =>
      type !== EXTENSION.padding && type !== EXTENSION.serverName
    ),
  });
  const trustAnchors = extensionOf(hello, EXTENSION.trustAnchors);
  return {
    order: orderOf(hello),
    grease: greaseOf(hello),
    ...(ech && {
      ech: { payloadLength: ech.payload.length, configId: ech.configId },
    }),
    ...(trustAnchors && { trustAnchors: encodeHex(trustAnchors) }),
    parts: maskedParts(hello),
    random: randomOf(hello, ech),
    length: unpadded.length,
  };
}

function orderOf({ extensions = [] }: ClientHello): number[] {
  let seen = false;
  return extensions.map(({ type }) => {
    if (!isGrease(type)) return type;
    const mark = seen ? GREASE_LATER : GREASE_FIRST;
    seen = true;
    return mark;
  });
}

function greaseOf(hello: ClientHello): Record<string, number> {
  const lists: Record<string, readonly number[]> = {
    cipher: hello.cipherSuites,
    group: u16List(
      extensionOf(hello, EXTENSION.supportedGroups),
      "supported_groups",
    ),
    key_share: keySharesOf(hello).map(([group]) => group),
    extension: hello.extensions?.map(({ type }) => type) ?? [],
    version: u16List(
      extensionOf(hello, EXTENSION.supportedVersions),
      "supported_versions",
      1,
    ),
    sigalg: u16List(
      extensionOf(hello, EXTENSION.signatureAlgorithms),
      "signature_algorithms",
    ),
  };
  const places: Record<string, number> = {};
  for (const [name, values] of Object.entries(lists)) {
    values.filter(isGrease).forEach((value, i) => {
      places[i === 0 ? name : `${name} ${i + 1}`] = value >> 12;
    });
  }
  return places;
}

function randomOf(
  hello: ClientHello,
  ech: EchOuter | undefined,
): Record<string, RandomField> {
  const fields: Record<string, RandomField> = {
    random: { bytes: hello.random },
    session_id: { bytes: hello.sessionId },
  };
  if (ech) {
    fields["ech enc"] = x25519(ech.enc);
    fields["ech payload"] = { bytes: ech.payload };
  }
  const psk = offeredPskOf(hello);
  if (psk) {
    const age = new Uint8Array(4);
    new DataView(age.buffer).setUint32(0, psk.obfuscatedTicketAge);
    fields["psk identity"] = { bytes: psk.identity, isTicket: true };
    fields["psk age"] = { bytes: age };
    fields["psk binder"] = {
      bytes: extensionOf(hello, EXTENSION.preSharedKey)!
        .slice(-psk.binderLength),
    };
  }
  for (const [group, key] of keySharesOf(hello)) {
    if (group === GROUP.x25519) fields["x25519"] = x25519(key);
    else if (group === GROUP.x25519MlKem768) {
      fields["hybrid ml_kem"] = mlKem(key.subarray(0, -32));
      fields["hybrid x25519"] = x25519(key.subarray(-32));
    } else if (group === GROUP.x25519Kyber768Draft00) {
      fields["hybrid x25519"] = x25519(key.subarray(0, 32));
      fields["hybrid ml_kem"] = mlKem(key.subarray(32));
    } else if (!isGrease(group)) {
      fields[`share ${group}`] = { bytes: key.subarray(1) };
    }
  }
  return fields;
}

function x25519(bytes: Uint8Array): RandomField {
  return { bytes, isKey: isComputedX25519Key(bytes) };
}

function mlKem(bytes: Uint8Array): RandomField {
  return { bytes, isKey: isReducedMlKemKey(bytes) };
}

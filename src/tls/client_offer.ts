/**
 * What the extensions of a ClientHello say, as far as our server has a use for it (RFC 8446 §4.2).
 *
 * @module
 */
import { DecodeError, Reader } from "../core/bytes/mod.ts";
import {
  type ClientHello,
  EXTENSION,
  extensionOf,
  isGrease,
} from "../utls/mod.ts";
import { fatal } from "./error.ts";
import {
  decodeKeyShareEntries,
  type KeyShareEntry,
} from "./messages/key_share_entry.ts";
import {
  decodeOfferedPsks,
  type OfferedPsks,
} from "./messages/pre_shared_key.ts";
import { decodeProtocolNames } from "./messages/protocol_name_list.ts";
import {
  decodeRecordSizeLimit,
  RECORD_SIZE_LIMIT,
} from "./record_size_limit.ts";

const HOST_NAME = 0;
const MAX_NAME_LENGTH = 255;

/** What a ClientHello offers; GREASE values are left out, all arrays view the hello. */
export interface ClientOffer {
  /** The hello itself. */
  readonly hello: ClientHello;
  /** `cipher_suites`, in the client's order. */
  readonly cipherSuites: readonly number[];
  /** `supported_versions`; `undefined` if absent, as up to TLS 1.2. */
  readonly versions: readonly number[] | undefined;
  /** `supported_groups`. */
  readonly groups: readonly number[] | undefined;
  /** `key_share`. */
  readonly keyShares: readonly KeyShareEntry[] | undefined;
  /** `signature_algorithms`. */
  readonly signatureSchemes: readonly number[] | undefined;
  /** The host name of `server_name` as sent. */
  readonly serverName: string | undefined;
  /** Protocol names of `application_layer_protocol_negotiation`, one character a byte. */
  readonly alpn: readonly string[] | undefined;
  /** `psk_key_exchange_modes`. */
  readonly pskModes: readonly number[] | undefined;
  /** `pre_shared_key`. */
  readonly psks: OfferedPsks | undefined;
  /** `cookie`. */
  readonly cookie: Uint8Array | undefined;
  /** Algorithms of `compress_certificate` (RFC 8879). */
  readonly certificateCompressions: readonly number[];
  /** Protocol names that `application_settings` are offered for, by the number of the extension. */
  readonly applicationSettings: ReadonlyMap<number, readonly string[]>;
  /** `record_size_limit` (RFC 8449): the largest inner plaintext in bytes, its type byte included. */
  readonly recordSizeLimit: number | undefined;
  /** Whether `early_data` is there. */
  readonly earlyData: boolean;
}

/**
 * Decodes the extensions of `hello`.
 *
 * @throws {DecodeError} If one that we know is malformed; whether they fit together is for `checkClientOffer` to say.
 * @throws {TlsError} If the server name is too long or has a NUL.
 */
export function readClientOffer(hello: ClientHello): ClientOffer {
  const of = <T>(type: number, decode: (data: Uint8Array) => T) => {
    const data = extensionOf(hello, type);
    return data && decode(data);
  };
  const { applicationSettings, applicationSettingsOld } = EXTENSION;
  return {
    hello,
    cipherSuites: withoutGrease(hello.cipherSuites),
    versions: of(EXTENSION.supportedVersions, decodeShortU16s),
    groups: of(EXTENSION.supportedGroups, decodeU16s),
    keyShares: of(EXTENSION.keyShare, decodeKeyShareEntries)
      ?.filter(({ group }) => !isGrease(group)),
    signatureSchemes: of(EXTENSION.signatureAlgorithms, decodeU16s),
    serverName: of(EXTENSION.serverName, decodeServerName),
    alpn: of(EXTENSION.alpn, decodeProtocolNames),
    pskModes: of(EXTENSION.pskKeyExchangeModes, decodeModes),
    psks: of(EXTENSION.preSharedKey, decodeOfferedPsks),
    cookie: of(EXTENSION.cookie, decodeCookie),
    certificateCompressions: of(
      EXTENSION.compressCertificate,
      decodeShortU16s,
    ) ?? [],
    applicationSettings: new Map(
      [applicationSettings, applicationSettingsOld].map((type) =>
        [type, of(type, decodeProtocolNames) ?? []] as const
      ),
    ),
    recordSizeLimit: of(RECORD_SIZE_LIMIT, decodeRecordSizeLimit),
    earlyData: of(EXTENSION.earlyData, decodeNothing) ?? false,
  };
}

function decodeU16s(data: Uint8Array): number[] {
  const r = new Reader(data, "list of a ClientHello");
  const values = u16s(r.sub(r.u16()));
  r.end();
  return values;
}

function decodeShortU16s(data: Uint8Array): number[] {
  const r = new Reader(data, "short list of a ClientHello");
  const values = u16s(r.sub(r.u8()));
  r.end();
  return values;
}

/** The numbers that fill `r`, GREASE left out. */
function u16s(r: Reader): number[] {
  if (r.remaining === 0) throw new DecodeError(r.what, "an empty list");
  const values: number[] = [];
  while (r.remaining > 0) values.push(r.u16());
  return withoutGrease(values);
}

function withoutGrease(values: readonly number[]): number[] {
  return values.filter((value) => !isGrease(value));
}

function decodeServerName(data: Uint8Array): string {
  const r = new Reader(data, "server_name");
  const list = r.sub(r.u16());
  r.end();
  if (list.u8() !== HOST_NAME) {
    throw new DecodeError(r.what, "not a host name");
  }
  const name = list.take(list.u16());
  list.end();
  if (name.length === 0) throw new DecodeError(r.what, "an empty name");
  if (name.length > MAX_NAME_LENGTH || name.includes(0)) { // as OpenSSL
    throw fatal("unrecognizedName", "Want up to 255 bytes without NUL");
  }
  return String.fromCharCode(...name);
}

function decodeModes(data: Uint8Array): number[] {
  const r = new Reader(data, "psk_key_exchange_modes");
  const modes = r.take(r.u8());
  r.end();
  if (modes.length === 0) throw new DecodeError(r.what, "an empty list");
  return [...modes];
}

function decodeCookie(data: Uint8Array): Uint8Array {
  const r = new Reader(data, "cookie");
  const cookie = r.take(r.u16());
  r.end();
  if (cookie.length === 0) throw new DecodeError(r.what, "an empty cookie");
  return cookie;
}

function decodeNothing(data: Uint8Array): true {
  new Reader(data, "early_data").end();
  return true;
}

/**
 * JA4 (FoxIO, `technical_details/JA4.md`): a fingerprint of a ClientHello that permuted extensions do not change.
 *
 * ```text
 * t13d1516h2_8daaf6152771_02713d6af862
 * │││ │ │ │  │            SHA-256 of the sorted extensions without server_name and ALPN, "_", signature algorithms in order
 * │││ │ │ │  SHA-256 of the sorted cipher suites; each digest cut to 12 digits, zeros if there is nothing to digest
 * │││ │ │ first and last character of the first ALPN protocol, 00 without; of its hex form if one is not alphanumeric
 * │││ │ number of extensions, at most 99
 * │││ number of cipher suites, at most 99
 * ││d if there is a server_name, else i
 * │highest version offered
 * t for TCP, q for QUIC, d for DTLS
 * ```
 *
 * GREASE is left out everywhere, signature algorithms included. The rest of JA4+ is under a non-commercial licence and is not here.
 *
 * @module
 */
import { DecodeError, Reader } from "../core/bytes/mod.ts";
import { hexDigest } from "../core/crypto/mod.ts";
import { type ClientHello, extensionOf } from "./client_hello.ts";
import { EXTENSION } from "./extension.ts";
import { isGrease } from "./grease.ts";
import { u16List } from "./u16_list.ts";

/** What carried a ClientHello; JA4 starts with its first letter. */
export type Ja4Transport = "tcp" | "quic" | "dtls";

/**
 * The JA4 fingerprint of `hello`.
 *
 * @throws {DecodeError} If its list of versions, protocols or signature algorithms does not decode.
 */
export function ja4(
  hello: ClientHello,
  transport: Ja4Transport = "tcp",
): string {
  return digested(partsOf(hello, transport, true));
}

/**
 * JA4_r: what {@link ja4} digests, in full.
 *
 * @throws {DecodeError} As {@link ja4}.
 */
export function ja4r(
  hello: ClientHello,
  transport: Ja4Transport = "tcp",
): string {
  return raw(partsOf(hello, transport, true));
}

/**
 * JA4_o: {@link ja4} with cipher suites and extensions in the order sent, server_name and ALPN among them.
 *
 * @throws {DecodeError} As {@link ja4}.
 */
export function ja4o(
  hello: ClientHello,
  transport: Ja4Transport = "tcp",
): string {
  return digested(partsOf(hello, transport, false));
}

/**
 * JA4_ro: what {@link ja4o} digests, in full.
 *
 * @throws {DecodeError} As {@link ja4}.
 */
export function ja4ro(
  hello: ClientHello,
  transport: Ja4Transport = "tcp",
): string {
  return raw(partsOf(hello, transport, false));
}

interface Parts {
  readonly a: string;
  readonly suites: readonly number[];
  readonly extensions: readonly number[];
  readonly algorithms: readonly number[];
}

function partsOf(
  hello: ClientHello,
  transport: Ja4Transport,
  sorted: boolean,
): Parts {
  const suites = withoutGrease(hello.cipherSuites);
  const types = withoutGrease((hello.extensions ?? []).map(({ type }) => type));
  const named = types.includes(EXTENSION.serverName) ? "d" : "i";
  const counts = twoDigits(suites.length) + twoDigits(types.length);
  return {
    a: transport[0] + version(hello) + named + counts + alpn(hello),
    suites: sorted ? suites.sort(ascending) : suites,
    extensions: sorted
      ? types.filter((type) =>
        type !== EXTENSION.serverName && type !== EXTENSION.alpn
      ).sort(ascending)
      : types,
    algorithms: withoutGrease(u16List(
      extensionOf(hello, EXTENSION.signatureAlgorithms),
      "signature_algorithms",
    )),
  };
}

function digested({ a, suites, extensions, algorithms }: Parts): string {
  const b = suites.length > 0 ? digest12(suites) : NOTHING;
  const c = extensions.length > 0 ? digest12(extensions, algorithms) : NOTHING;
  return `${a}_${b}_${c}`;
}

function raw({ a, suites, extensions, algorithms }: Parts): string {
  const decoder = new TextDecoder();
  const b = decoder.decode(hexLists(suites));
  return `${a}_${b}_${decoder.decode(hexLists(extensions, algorithms))}`;
}

const NOTHING = "000000000000";

function digest12(
  first: readonly number[],
  second?: readonly number[],
): string {
  return hexDigest("sha256", hexLists(first, second)).slice(0, 12);
}

/** Names of versions, newest first; those of DTLS count down. */
const VERSIONS: readonly (readonly [number, string])[] = [
  [0x0304, "13"],
  [0x0303, "12"],
  [0x0302, "11"],
  [0x0301, "10"],
  [0x0300, "s3"],
  [0x0002, "s2"],
  [0xfefc, "d3"],
  [0xfefd, "d2"],
  [0xfeff, "d1"],
];

function version(hello: ClientHello): string {
  const data = extensionOf(hello, EXTENSION.supportedVersions);
  const offered = data
    ? u16List(data, "supported_versions", 1)
    : [hello.legacyVersion];
  for (const [number, name] of VERSIONS) {
    if (offered.includes(number)) return name;
  }
  return "00";
}

function alpn(hello: ClientHello): string {
  const data = extensionOf(hello, EXTENSION.alpn);
  if (data === undefined) return "00";
  const r = new Reader(data, "ALPN");
  if (r.u16() !== r.remaining) throw new DecodeError("ALPN", "wrong length");
  if (r.remaining === 0) return "00";
  const first = r.take(r.u8());
  const [head, tail] = [first[0], first.at(-1)];
  if (head === undefined || tail === undefined) return "00";
  return isAlphanumeric(head) && isAlphanumeric(tail)
    ? String.fromCharCode(head, tail)
    : String.fromCharCode(hexDigit(head >> 4), hexDigit(tail & 15));
}

function isAlphanumeric(c: number): boolean {
  return c >= 0x30 && c <= 0x39 || (c | 0x20) >= 0x61 && (c | 0x20) <= 0x7a;
}

function twoDigits(count: number): string {
  return String(Math.min(count, 99)).padStart(2, "0");
}

function withoutGrease(list: readonly number[]): number[] {
  return list.filter((value) => !isGrease(value));
}

function ascending(a: number, b: number): number {
  return a - b;
}

/** Holds what is digested next: a new array for each digest costs more than the digest. */
let scratch: Uint8Array | undefined;
const SCRATCH_BYTES = 4_096;

/**
 * The characters of `first`, four hex digits a number joined with ",", and of `second` behind a "_" unless it is empty; they
 * may be a view that the next call overwrites.
 */
function hexLists(
  first: readonly number[],
  second: readonly number[] = [],
): Uint8Array {
  const length = 5 * (first.length + second.length);
  const out = length > SCRATCH_BYTES
    ? new Uint8Array(length)
    : scratch ??= new Uint8Array(SCRATCH_BYTES);
  const end = putHexList(out, 0, first);
  if (second.length > 0) {
    out[end - 1] = UNDERSCORE;
    putHexList(out, end, second);
  }
  return out.subarray(0, Math.max(0, length - 1));
}

/** Writes `list` from `at` on, a comma behind each number, and returns where it ends. */
function putHexList(
  out: Uint8Array,
  at: number,
  list: readonly number[],
): number {
  for (const value of list) {
    out[at] = hexDigit(value >> 12);
    out[at + 1] = hexDigit(value >> 8 & 15);
    out[at + 2] = hexDigit(value >> 4 & 15);
    out[at + 3] = hexDigit(value & 15);
    out[at + 4] = COMMA;
    at += 5;
  }
  return at;
}

function hexDigit(value: number): number {
  return value < 10 ? 0x30 + value : 0x57 + value;
}

const COMMA = 0x2c;
const UNDERSCORE = 0x5f;

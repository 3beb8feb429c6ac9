/**
 * QUIC Initial packets (RFC 9000 §17.2.2), whose keys follow from the client's first destination connection id
 * (RFC 9001 §5.2, RFC 9369 §3.3): anybody can read them.
 *
 * ```text
 * 1B  1 1 tt rr pp: long header, type, packet number length − 1; the low 4 bits under header protection
 * 4B  version
 * 1B  length, then destination connection id, 0 to 20 bytes
 * 1B  length, then source connection id, 0 to 20 bytes
 * vB  length, then token
 * vB  length of what follows
 * 1–4B packet number, under header protection
 * nB  frames, sealed with AES-128-GCM; the header is the associated data
 * ```
 *
 * @module
 */
import {
  type Bytes,
  concat,
  DecodeError,
  decodeHex,
  Reader,
  utf8,
  Writer,
} from "../../core/bytes/mod.ts";
import { CryptoError, type CryptoProvider } from "../../core/crypto/mod.ts";

/** Keys of one sender of Initial packets. */
export interface InitialKeys {
  /** AES-128-GCM key. */
  readonly key: Bytes;
  /** 12 bytes that the packet number is added to. */
  readonly iv: Bytes;
  /** Header protection key. */
  readonly hp: Bytes;
}

/** An Initial packet as it was sent. */
export interface SealedInitial {
  /** `0x00000001` or `0x6b3343cf`. */
  readonly version: number;
  /** Destination connection id. */
  readonly destinationId: Uint8Array;
  /** The header before the packet number. */
  readonly header: Uint8Array;
  /** Packet number and sealed frames. */
  readonly body: Uint8Array;
}

interface Version {
  readonly salt: string;
  readonly label: string;
  readonly initialType: number;
}

const VERSIONS: ReadonlyMap<number, Version> = new Map([
  [1, {
    salt: "38762cf7f55934b34d179ae6a4c80cadccbb7f0a",
    label: "quic",
    initialType: 0,
  }],
  [0x6b3343cf, {
    salt: "0dede3def700a6db819381be6e269dcbf9bd2ed9",
    label: "quicv2",
    initialType: 1,
  }],
]);

const MAX_CONNECTION_ID_LENGTH = 20;
const SAMPLE_LENGTH = 16;
const TAG_LENGTH = 16;

/**
 * The Initial packets at the start of `datagram`, which may hold several packets; none if it is not QUIC of a known version.
 *
 * @throws {DecodeError} If a length does not fit.
 */
export function* readInitials(datagram: Uint8Array): Generator<SealedInitial> {
  const r = new Reader(datagram, "QUIC packet");
  while (r.remaining > 5) {
    const start = r.offset;
    const first = r.u8();
    const version = r.u32();
    const known = VERSIONS.get(version);
    if (first >> 6 !== 3 || !known) return;
    const destinationId = connectionId(r);
    connectionId(r);
    const isInitial = (first >> 4 & 3) === known.initialType;
    if (!isInitial && (first >> 4 & 3) === (known.initialType + 3) % 4) return; // Retry has no length
    if (isInitial) r.take(readVarint(r));
    const length = readVarint(r);
    const header = r.since(start);
    const body = r.take(length);
    if (isInitial) yield { version, destinationId, header, body };
  }
}

/** The keys of `sender` in a connection whose client first wrote to `destinationId`. */
export function initialKeys(
  crypto: CryptoProvider,
  version: number,
  destinationId: Uint8Array,
  sender: "client" | "server",
): InitialKeys {
  const { salt, label } = VERSIONS.get(version)!;
  const initial = crypto.hmac("sha256", decodeHex(salt), destinationId);
  const expand = (secret: Uint8Array, name: string, length: number) =>
    crypto.hkdfExpand("sha256", secret, hkdfLabel(name, length), length);
  const secret = expand(initial, `${sender} in`, 32);
  return {
    key: expand(secret, `${label} key`, 16),
    iv: expand(secret, `${label} iv`, 12),
    hp: expand(secret, `${label} hp`, 16),
  };
}

/**
 * The frames of `packet`; `undefined` if they were not sealed with `keys`.
 *
 * @throws {DecodeError} If the packet is too short to be protected.
 */
export function openInitial(
  crypto: CryptoProvider,
  { header, body }: SealedInitial,
  { key, iv, hp }: InitialKeys,
): Bytes | undefined {
  if (body.length < 4 + SAMPLE_LENGTH) {
    throw new DecodeError("QUIC packet", "too short");
  }
  const mask = crypto.aesCtr(
    hp,
    body.subarray(4, 4 + SAMPLE_LENGTH),
    new Uint8Array(SAMPLE_LENGTH),
  ); // the key stream's first block is the encrypted counter: AES-ECB of the sample
  const first = header[0]! ^ (mask[0]! & 0x0f);
  const numberLength = (first & 3) + 1;
  const number = body.slice(0, numberLength)
    .map((byte, i) => byte ^ mask[1 + i]!);
  const clear = concat(header, number);
  clear[0] = first;
  const nonce = iv.slice();
  for (let i = 0; i < numberLength; i++) {
    nonce[12 - numberLength + i]! ^= number[i]!; // Initial numbers are small: as sent is as meant
  }
  const sealed = body.subarray(numberLength);
  if (sealed.length < TAG_LENGTH) return undefined;
  using aead = crypto.aesGcm(key);
  try {
    return aead.open(nonce, sealed, clear);
  } catch (error) {
    if (error instanceof CryptoError) return undefined;
    throw error;
  }
}

/**
 * A QUIC variable-length integer (RFC 9000 §16), which need not be in its shortest form.
 *
 * @throws {DecodeError} If it is cut short, or above 2^53 − 1.
 */
export function readVarint(r: Reader): number {
  const first = r.u8();
  let value = first & 0x3f;
  for (let i = (1 << (first >> 6)) - 1; i > 0; i--) {
    value = value * 256 + r.u8();
  }
  if (!Number.isSafeInteger(value)) throw new DecodeError(r.what, "varint");
  return value;
}

function connectionId(r: Reader): Uint8Array {
  const length = r.u8();
  if (length > MAX_CONNECTION_ID_LENGTH) {
    throw new DecodeError(r.what, `connection id of ${length} bytes`);
  }
  return r.take(length);
}

/** HkdfLabel with an empty context (RFC 8446 §7.1). */
function hkdfLabel(name: string, length: number): Bytes {
  const label = utf8(`tls13 ${name}`);
  return new Writer().u16(length).u8(label.length).put(label).u8(0).finish();
}

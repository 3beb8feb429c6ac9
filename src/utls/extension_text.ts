import { DecodeError, encodeHex, Reader } from "../core/bytes/mod.ts";
import {
  listOf,
  readCookie,
  readEch,
  readKeyShares,
  readTrustAnchors,
} from "./extension_data.ts";
import { protocolsOf, readServerName } from "./hello_kind.ts";
import { readPsks } from "./psk_extension.ts";
import { groupName } from "./registry_names.ts";
import { u16List } from "./u16_list.ts";

/** The bytes in hexadecimal. */
export function hexText(data: Uint8Array): string {
  return data.length === 0 ? "empty" : encodeHex(data);
}

/** How many bytes. */
export function lengthText(data: Uint8Array): string {
  return data.length === 0 ? "empty" : bytes(data);
}

/** Of an extension that says all by being there. */
export function emptyText(data: Uint8Array): string {
  new Reader(data, "extension").end();
  return "empty";
}

/** A list of 2-byte numbers by `name`, behind `lengthBytes` of length. */
export function u16Text(
  what: string,
  name: (code: number) => string,
  lengthBytes: 1 | 2 = 2,
): (data: Uint8Array) => string {
  return (data) => u16List(data, what, lengthBytes).map(name).join(", ");
}

/** server_name. */
export const serverNameText = readServerName;

/** ALPN and ALPS. */
export function namesText(data: Uint8Array): string {
  return protocolsOf(data).join(", ");
}

/** key_share. */
export function keySharesText(data: Uint8Array): string {
  return readKeyShares(data)
    .map(([group, key]) => `${groupName(group)} ${bytes(key)}`).join(", ");
}

/** encrypted_client_hello. */
export function echText(data: Uint8Array): string {
  if (data[0] === 1) return "inner";
  const { kdf, aead, configId, enc, payload } = readEch(data);
  const cipher = AEAD[aead] ?? `AEAD ${aead}`;
  return `KDF ${kdf}, ${cipher}, config ${configId}, key ${
    bytes(enc)
  }, payload ${bytes(payload)}`;
}

const AEAD: Readonly<Record<number, string>> = {
  1: "AES-128-GCM",
  2: "AES-256-GCM",
  3: "ChaCha20-Poly1305",
};

/** pre_shared_key. */
export function psksText(data: Uint8Array): string {
  return readPsks(data).map((psk) =>
    `identity ${
      bytes(psk.identity)
    }, obfuscated age ${psk.obfuscatedTicketAge}, binder ${psk.binderLength} bytes`
  ).join("; ");
}

/** psk_key_exchange_modes (RFC 8446 §4.2.9). */
export function pskModesText(data: Uint8Array): string {
  return bytesText(data, "psk_key_exchange_modes", ["pskKe", "pskDheKe"]);
}

/** ec_point_formats (RFC 8422 §5.1.2). */
export function pointFormatsText(data: Uint8Array): string {
  return bytesText(data, "ec_point_formats", [
    "uncompressed",
    "compressed, prime field",
    "compressed, binary field",
  ]);
}

/** status_request (RFC 6066 §8). */
export function statusRequestText(data: Uint8Array): string {
  const r = new Reader(data, "status_request");
  const type = r.u8();
  if (type !== 1) return `type ${type}`;
  const responders = r.take(r.u16());
  const extensions = r.take(r.u16());
  r.end();
  return `OCSP, responders ${lengthText(responders)}, extensions ${
    lengthText(extensions)
  }`;
}

/** trust_anchors, each identifier as the relative object identifier it is. */
export function trustAnchorsText(data: Uint8Array): string {
  return readTrustAnchors(data).map(relativeOid).join(", ");
}

/** certificate_authorities (RFC 8446 §4.2.4). */
export function authoritiesText(data: Uint8Array): string {
  const list = listOf(data, "certificate_authorities");
  let count = 0;
  for (; list.remaining > 0; count++) list.take(list.u16());
  return `${count} names`;
}

/** cookie. */
export function cookieText(data: Uint8Array): string {
  return bytes(readCookie(data));
}

/** record_size_limit (RFC 8449 §4). */
export function recordSizeText(data: Uint8Array): string {
  const r = new Reader(data, "record_size_limit");
  const limit = r.u16();
  r.end();
  return `${limit} bytes`;
}

/** A list of 1-byte numbers behind a length of 1 byte, by name. */
function bytesText(
  data: Uint8Array,
  what: string,
  names: readonly string[],
): string {
  const r = new Reader(data, what);
  const codes = r.take(r.u8());
  r.end();
  return Array.from(codes, (code) => names[code] ?? `${code}`).join(", ");
}

function relativeOid(id: Uint8Array): string {
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of id) {
    arc = arc * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    arcs.push(arc);
    arc = 0;
  }
  if (id.length === 0 || id.at(-1)! >= 0x80) {
    throw new DecodeError("trust_anchors", "an identifier that does not end");
  }
  return arcs.join(".");
}

function bytes({ length }: Uint8Array): string {
  return `${length} bytes`;
}

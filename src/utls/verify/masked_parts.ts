import { encodeHex, Reader } from "../../core/bytes/mod.ts";
import { type ClientHello, encodeClientHello } from "../client_hello.ts";
import { EXTENSION } from "../extension.ts";
import { echOf, keySharesOf } from "../extension_data.ts";
import { isGrease } from "../grease.ts";
import type { Extension } from "../hello_parts.ts";
import { u16List } from "../u16_list.ts";

/**
 * What `hello` says with its order and everything drawn by chance taken out: masked are GREASE values, random, session id, key
 * shares, ECH's config id, key and payload, the host name, tickets and binders. Whatever is not known to be drawn stays, byte
 * for byte.
 *
 * @throws {DecodeError} If an extension that is masked does not decode.
 */
export function maskedParts(hello: ClientHello): Record<string, string> {
  const { extensions = [] } = hello;
  const parts: Record<string, string> = {
    legacy_version: hex16(hello.legacyVersion),
    session_id: `${hello.sessionId.length} bytes`,
    cipher_suites: hello.cipherSuites.map(hex16).join(),
    compression_methods: encodeHex(hello.compressionMethods),
    extensions: extensions.map(({ type }) => hex16(type)).sort().join(),
  };
  let grease = 0;
  for (const extension of extensions) {
    if (isGrease(extension.type)) {
      parts[`GREASE extension ${++grease}`] = encodeHex(extension.data);
    } else {
      parts[`extension ${extension.type}`] = masked(extension, hello);
    }
  }
  return parts;
}

function hex16(value: number): string {
  return isGrease(value) ? "GREASE" : value.toString(16).padStart(4, "0");
}

function masked({ type, data }: Extension, hello: ClientHello): string {
  switch (type) {
    case EXTENSION.serverName:
      return maskedName(data);
    case EXTENSION.supportedGroups:
    case EXTENSION.signatureAlgorithms:
      return u16List(data, "list").map(hex16).join();
    case EXTENSION.supportedVersions:
      return u16List(data, "supported_versions", 1).map(hex16).join();
    case EXTENSION.keyShare:
      return keySharesOf(hello).map(([group, key]) =>
        isGrease(group)
          ? `GREASE:${encodeHex(key)}`
          : `${hex16(group)}:${key.length} bytes`
      ).join();
    case EXTENSION.encryptedClientHello: {
      const { kdf, aead, enc } = echOf(hello)!;
      return `kdf ${kdf}, aead ${aead}, enc ${enc.length} bytes`;
    }
    case EXTENSION.preSharedKey:
      return maskedPsk(data);
    case EXTENSION.padding:
      return data.some((byte) => byte !== 0)
        ? encodeHex(data)
        : `zeros up to ${encodeClientHello(hello).length} bytes`;
    case EXTENSION.trustAnchors:
      return maskedTrustAnchors(data);
    case EXTENSION.cookie:
    case EXTENSION.sessionTicket:
      return `${data.length} bytes`;
    default:
      return encodeHex(data);
  }
}

function maskedName(data: Uint8Array): string {
  const r = new Reader(data, "server_name");
  const list = r.sub(r.u16());
  r.end();
  const types: string[] = [];
  while (list.remaining > 0) {
    types.push(`type ${list.u8()}`);
    list.take(list.u16());
  }
  return types.join();
}

/** Lengths of tickets and binders. */
function maskedPsk(data: Uint8Array): string {
  const r = new Reader(data, "pre_shared_key");
  const identities = r.sub(r.u16());
  const binders = r.sub(r.u16());
  r.end();
  const lengths: string[] = [];
  while (identities.remaining > 0) {
    lengths.push(`ticket ${identities.take(identities.u16()).length}`);
    identities.u32();
  }
  while (binders.remaining > 0) {
    lengths.push(`binder ${binders.take(binders.u8()).length}`);
  }
  return lengths.join();
}

/** The identifiers sorted, since a browser process may draw their order, and whether they were. */
function maskedTrustAnchors(data: Uint8Array): string {
  const r = new Reader(data, "trust_anchors");
  const list = r.sub(r.u16());
  r.end();
  const ids: string[] = [];
  while (list.remaining > 0) ids.push(encodeHex(list.take(list.u8())));
  const sorted = ids.toSorted();
  return sorted.join() +
    (ids.every((id, i) => id === sorted[i]) ? "" : ", not sorted");
}

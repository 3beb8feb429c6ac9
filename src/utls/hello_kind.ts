import { DecodeError, utf8 } from "../core/bytes/mod.ts";
import { type ClientHello, extensionOf } from "./client_hello.ts";
import { EXTENSION } from "./extension.ts";
import { listOf } from "./extension_data.ts";
import type { OfferedPsk } from "./offer.ts";
import { readPsks } from "./psk_extension.ts";

/** What a browser sends a hello for, as far as the hello shows: hellos of different kinds have different extensions. */
export type HelloKind =
  | "page" // to a named host, offering HTTP/2
  | "websocket" // to a named host, offering HTTP/1.1 only
  | "address" // to an IP address: no server_name
  | "resumed"; // with a ticket of an earlier connection

/** The kind of `hello`. */
export function kindOf(hello: ClientHello): HelloKind {
  if (extensionOf(hello, EXTENSION.preSharedKey)) return "resumed";
  if (!extensionOf(hello, EXTENSION.serverName)) return "address";
  const alpn = extensionOf(hello, EXTENSION.alpn);
  return alpn && protocolsOf(alpn).includes("h2") ? "page" : "websocket";
}

/** Whether `hello` offers AES-GCM before ChaCha20-Poly1305, as BoringSSL does where the CPU has AES instructions. */
export function prefersAes({ cipherSuites }: ClientHello): boolean {
  const chaCha = cipherSuites.indexOf(0x1303);
  return chaCha < 0 || cipherSuites.slice(0, chaCha).includes(0x1301);
}

/** The host name in `hello`'s server_name, or `undefined`. */
export function serverNameOf(hello: ClientHello): string | undefined {
  const data = extensionOf(hello, EXTENSION.serverName);
  return data && readServerName(data);
}

/** The one host name in server_name (RFC 6066 §3). */
export function readServerName(data: Uint8Array): string {
  const list = listOf(data, "server_name");
  if (list.u8() !== 0) throw new DecodeError(list.what, "not a host name");
  const name = list.take(list.u16());
  list.end();
  return ascii(name, list.what);
}

/** The names in a protocol list (RFC 7301 §3.1). */
export function protocolsOf(data: Uint8Array): string[] {
  const list = listOf(data, "protocol list");
  const protocols: string[] = [];
  while (list.remaining > 0) {
    protocols.push(ascii(list.take(list.u8()), list.what));
  }
  return protocols;
}

/** The first key that `hello` offers, its age as sent, or `undefined`. */
export function offeredPskOf(hello: ClientHello): OfferedPsk | undefined {
  const data = extensionOf(hello, EXTENSION.preSharedKey);
  return data && readPsks(data)[0];
}

function ascii(bytes: Uint8Array, what: string): string {
  const text = String.fromCharCode(...bytes.subarray(0, 256));
  if (bytes.length > 255 || utf8(text).length !== bytes.length) {
    throw new DecodeError(what, "a name that is long or not ASCII");
  }
  return text;
}

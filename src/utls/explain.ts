import { DecodeError, encodeHex } from "../core/bytes/mod.ts";
import type { ClientHello } from "./client_hello.ts";
import type { Extension } from "./hello_parts.ts";
import { EXTENSION } from "./extension.ts";
import {
  type ExtensionReading,
  readExtension,
  type Variation,
} from "./explain_extension.ts";
import { isGrease } from "./grease.ts";
import {
  cipherSuiteName,
  extensionName,
  groupName,
  versionName,
} from "./registry_names.ts";
import { isHelloRetryRequest, type ServerHello } from "./server_hello.ts";

/** One field of a hello. */
export interface ExplainedField {
  /** Its name in the RFC, or of the extension. */
  readonly name: string;
  /** Its value for a person to read; long random parts are left to their length. */
  readonly value: string;
  /** What it is for. */
  readonly meaning: string;
  /** What it follows in a browser. */
  readonly varies: Variation;
}

/** Every field of `hello` in the order sent; an extension that does not decode is said to and shown in hexadecimal. */
export function explainClientHello(hello: ClientHello): ExplainedField[] {
  const permuted = "The extensions' order is drawn anew since Chrome 110";
  return [
    field(
      "legacy_version",
      versionName(hello.legacyVersion),
      "Fixed since TLS 1.3; supportedVersions counts",
      "build",
    ),
    field("random", hex(hello.random), "Nonce of the handshake", "connection"),
    field(
      "legacy_session_id",
      bytes(hello.sessionId),
      "Random in TLS 1.3, so that it looks like a resumed TLS 1.2",
      "connection",
    ),
    field(
      "cipher_suites",
      hello.cipherSuites.map(cipherSuiteName).join(", "),
      "In order of preference; ChaCha20 first without AES instructions",
      "build",
    ),
    field(
      "legacy_compression_methods",
      hex(hello.compressionMethods),
      "Only null is left",
      "build",
    ),
    ...explainExtensions(hello.extensions),
    ...(hello.extensions
      ? [field(
        "extension order",
        hello.extensions.map(({ type }) => extensionName(type)).join(", "),
        permuted,
        "connection",
      )]
      : []),
  ];
}

/** Every field of `hello` in the order sent. */
export function explainServerHello(hello: ServerHello): ExplainedField[] {
  return [
    field(
      "legacy_version",
      versionName(hello.legacyVersion),
      "The version, up to TLS 1.2",
      "build",
    ),
    field(
      "random",
      hex(hello.random),
      isHelloRetryRequest(hello)
        ? "Says that this is a HelloRetryRequest"
        : "Nonce of the handshake",
      "connection",
    ),
    field(
      "legacy_session_id_echo",
      bytes(hello.sessionId),
      "The client's in TLS 1.3",
      "connection",
    ),
    field(
      "cipher_suite",
      cipherSuiteName(hello.cipherSuite),
      "The suite chosen",
      "destination",
    ),
    ...(hello.extensions ?? []).map((extension) =>
      field(
        extensionName(extension.type),
        serverExtension(extension),
        "The server's answer",
        "destination",
      )
    ),
  ];
}

function explainExtensions(
  extensions: readonly Extension[] = [],
): ExplainedField[] {
  return extensions.map(({ type, data }) => {
    const { value, meaning, varies } = reading(type, data);
    return field(extensionName(type), value, meaning, varies);
  });
}

function reading(type: number, data: Uint8Array): ExtensionReading {
  try {
    const known = readExtension(type, data);
    if (known) return known;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const value = `does not decode: ${hex(data)}`;
    return { value, meaning: "Malformed", varies: "build" };
  }
  return isGrease(type)
    ? {
      value: bytes(data),
      meaning: "Reserved: keeps servers tolerant of the unknown (RFC 8701)",
      varies: "connection",
    }
    : { value: bytes(data), meaning: "Not known here", varies: "build" };
}

/** The version and the key share in words, the rest in hexadecimal. */
function serverExtension({ type, data }: Extension): string {
  if (data.length < 2) return bytes(data);
  const number = data[0]! << 8 | data[1]!;
  if (type === EXTENSION.supportedVersions) return versionName(number);
  return type === EXTENSION.keyShare
    ? `${groupName(number)}, ${data.length} bytes`
    : bytes(data);
}

function field(
  name: string,
  value: string,
  meaning: string,
  varies: Variation,
): ExplainedField {
  return { name, value, meaning, varies };
}

function hex(value: Uint8Array): string {
  return encodeHex(value);
}

function bytes(value: Uint8Array): string {
  return value.length === 0 ? "empty" : hex(value);
}

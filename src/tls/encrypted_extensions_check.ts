import { DecodeError, Reader } from "../core/bytes/mod.ts";
import { EXTENSION, type Extension } from "../utls/mod.ts";
import type { ClientOffer } from "./client_offer.ts";
import { fatal } from "./error.ts";
import { findExtension } from "./messages/extensions.ts";
import { decodeProtocolNames } from "./messages/protocol_name_list.ts";
import {
  checkRecordSizeLimit,
  decodeRecordSizeLimit,
  RECORD_SIZE_LIMIT,
} from "./record_size_limit.ts";
import { checkAnswers } from "./server_extensions.ts";

/** What a server's EncryptedExtensions settle. */
export interface ServerSettings {
  /** The application protocol chosen. */
  readonly alpn: string | undefined;
  /** The number of the application settings extension that was answered, which asks for ours. */
  readonly applicationSettings: number | undefined;
  /** `record_size_limit` (RFC 8449): the largest inner plaintext in bytes, its type byte included. */
  readonly recordSizeLimit: number | undefined;
}

const MAX_ECH_CONFIGS = 64;

/**
 * Checks a server's EncryptedExtensions against what was offered (RFC 8446 §4.3.1).
 *
 * @throws {DecodeError} If one is malformed.
 * @throws {TlsError} `illegal_parameter` or `unsupported_extension`.
 */
export function checkEncryptedExtensions(
  extensions: readonly Extension[],
  offer: ClientOffer,
  offered: ReadonlySet<number>,
): ServerSettings {
  checkAnswers("EncryptedExtensions", extensions, offered);
  const serverName = findExtension(extensions, EXTENSION.serverName);
  if (serverName) new Reader(serverName, "server_name").end(); // RFC 6066 §3: empty
  const configs = findExtension(extensions, EXTENSION.encryptedClientHello);
  if (configs) checkEchConfigs(configs);
  const groups = findExtension(extensions, EXTENSION.supportedGroups);
  if (groups) checkGroups(groups);
  const limitData = findExtension(extensions, RECORD_SIZE_LIMIT);
  const recordSizeLimit = limitData && decodeRecordSizeLimit(limitData);
  if (recordSizeLimit !== undefined) checkRecordSizeLimit(recordSizeLimit);
  const alpn = chosenProtocol(extensions, offer);
  const applicationSettings = answered(extensions, offer, alpn);
  return { alpn, applicationSettings, recordSizeLimit };
}

/** RFC 8446 §4.2.7: `named_group_list<2..2^16-1>`; it says what the server would like better, and is not used. */
function checkGroups(data: Uint8Array): void {
  const r = new Reader(data, "supported_groups");
  const length = r.u16();
  r.take(length);
  r.end();
  if (length === 0 || length % 2 !== 0) {
    throw new DecodeError(r.what, `a list of ${length} bytes`);
  }
}

/** RFC 7301 §3.1: one protocol, of those offered. */
function chosenProtocol(
  extensions: readonly Extension[],
  offer: ClientOffer,
): string | undefined {
  const data = findExtension(extensions, EXTENSION.alpn);
  if (!data) return undefined;
  const names = decodeProtocolNames(data);
  if (names.length > 1) {
    throw new DecodeError("ALPN of a server", `${names.length} names`);
  }
  if (!offer.alpn?.includes(names[0]!)) {
    throw fatal("illegalParameter", "Protocol was not offered");
  }
  return names[0];
}

/** draft-vvv-tls-alps §4: one of the two numbers, with a protocol that settings were offered for. */
function answered(
  extensions: readonly Extension[],
  offer: ClientOffer,
  alpn: string | undefined,
): number | undefined {
  const { applicationSettings, applicationSettingsOld } = EXTENSION;
  const found = extensions.filter(({ type }) =>
    type === applicationSettings || type === applicationSettingsOld
  );
  if (found.length === 0) return undefined;
  const [{ type }] = found as [Extension];
  const names = offer.applicationSettings.get(type);
  if (found.length > 1 || alpn === undefined || !names?.includes(alpn)) {
    throw fatal("illegalParameter", "Application settings without protocol");
  }
  return type;
}

/** The ECH that we send is GREASE: an ECHConfigList must be well-formed, and is ignored (RFC 9849 §6.2.1). */
function checkEchConfigs(data: Uint8Array): void {
  const r = new Reader(data, "ECHConfigList");
  const list = r.sub(r.u16());
  r.end();
  let count = 0;
  while (list.remaining > 0) {
    list.u16();
    list.take(list.u16());
    count++;
  }
  if (count === 0 || count > MAX_ECH_CONFIGS) {
    throw new DecodeError(r.what, `${count} configs`);
  }
}

import type { Connection } from "../../core/transport/mod.ts";
import {
  CONTACT_HEADER_BYTES,
  type ContactHeader,
  decodeContactHeader,
  encodeContactHeader,
} from "./contact_header.ts";
import { TcpclError } from "./error.ts";
import {
  encodeMessage,
  MESSAGE_TYPE,
  type SessTermReason,
  TERM_REASONS,
} from "./message.ts";

const MAX_DRAINED_BYTES = 65_536;

/** What {@link exchangeContactHeaders} needs to know of our side. */
export interface ContactPolicy {
  /** Whether we opened the connection. */
  readonly active: boolean;
  /** Whether we can speak TLS. */
  readonly canTls: boolean;
  /** Whether we speak nothing else. */
  readonly requireTls: boolean;
  /** Why we take no contact now, if so. */
  readonly refusal?: SessTermReason | undefined;
}

/**
 * Exchanges contact headers (RFC 9174 §4.3), and gives whether TLS follows. It reads no byte beyond the peer's header. A side that
 * takes no contact says why after its own header.
 *
 * @throws {TcpclError} `malformed`, `version`, `insecure` or `refused`.
 * @throws {TransportError} If the connection breaks.
 */
export async function exchangeContactHeaders(
  connection: Connection,
  policy: ContactPolicy,
): Promise<boolean> {
  const { active, canTls, requireTls, refusal } = policy;
  const ours = encodeContactHeader({ canTls });
  if (active) await connection.write(ours);
  let peer: ContactHeader;
  try {
    peer = await readContactHeader(connection);
  } catch (error) {
    if (error instanceof TcpclError && error.code === "version") {
      if (!active) await connection.write(ours);
      await leave(connection, "versionMismatch");
    }
    throw error;
  }
  if (!active) await connection.write(ours);
  if (requireTls && !peer.canTls) {
    await leave(connection, "contactFailure");
    throw new TcpclError("insecure", "The peer cannot speak TLS");
  }
  if (refusal) {
    await leave(connection, refusal);
    throw new TcpclError("refused", `We take no contact: ${refusal}`);
  }
  return canTls && peer.canTls;
}

async function readContactHeader(
  connection: Connection,
): Promise<ContactHeader> {
  const bytes = new Uint8Array(CONTACT_HEADER_BYTES);
  let at = 0;
  while (at < bytes.length) {
    const length = await connection.read(bytes.subarray(at));
    if (length === null) throw refusalIn(bytes.subarray(0, at));
    at += length;
  }
  return decodeContactHeader(bytes);
}

/** HDTN refuses a contact by SESS_TERM in the place of its header. */
function refusalIn(bytes: Uint8Array): TcpclError {
  if (bytes.length !== 3 || bytes[0] !== MESSAGE_TYPE.sessTerm) {
    return new TcpclError("malformed", "The peer ended in its contact header");
  }
  const reason = TERM_REASONS[bytes[2]!] ?? "unknown";
  return new TcpclError("refused", `The peer refused the contact: ${reason}`);
}

/** Says why, and waits for the peer's end. */
async function leave(
  connection: Connection,
  reason: SessTermReason,
): Promise<void> {
  await connection.write(
    encodeMessage({ type: "SESS_TERM", reply: false, reason }),
  );
  await connection.closeWrite();
  await drain(connection).catch(() => {}); // a peer that broke the connection needs no more
}

/** Reads what the peer had sent, up to its end: closing before would take our last message from it. */
async function drain(connection: Connection): Promise<void> {
  const buffer = new Uint8Array(1_024);
  for (let left = MAX_DRAINED_BYTES; left > 0;) {
    const length = await connection.read(buffer);
    if (length === null) return;
    left -= length;
  }
}

import { Deadline, systemClock } from "../../core/async/mod.ts";
import type { Bytes } from "../../core/bytes/mod.ts";
import type { Connection } from "../../core/transport/mod.ts";
import { MixnetError } from "../error.ts";
import { LinkHandshake, type LinkHandshakeOptions } from "./link_handshake.ts";
import { MixLink, type MixLinkOptions } from "./mix_link.ts";

const HANDSHAKE_MS = 10_000;

/** Options of {@link dialLink} and {@link acceptLink} alike. */
export interface LinkOptions
  extends Omit<LinkHandshakeOptions, "remoteStaticKey">, MixLinkOptions {
  /** How long the handshake may take, in milliseconds. Default 10,000. */
  readonly handshakeTimeoutMs?: number;
  /** Cancels the handshake; the promise rejects with its reason. */
  readonly signal?: AbortSignal;
}

/** Options of {@link dialLink}. */
export interface DialLinkOptions extends LinkOptions {
  /** The link key that the peer must have, 32 bytes. */
  readonly remoteStaticKey: Uint8Array;
}

/** Options of {@link acceptLink}. */
export interface AcceptLinkOptions extends LinkOptions {
  /** Whether we want a peer with this link key; by default each. */
  readonly isAllowed?: (remoteStaticKey: Bytes) => boolean;
}

/**
 * Makes a link over `connection`, which it takes over and closes if that fails.
 *
 * Done, the peer has proved its key; that it wants us too shows when its first frame comes, or none.
 *
 * @throws {RangeError} If packets are too short for the handshake.
 * @throws {MixnetError} `unauthenticated` if the peer has another key or network, `timeout`, `truncated` or `disconnected` if its
 * answer does not come whole, `malformed` if it carries something.
 * @throws The reason of the signal.
 */
export async function dialLink(
  connection: Connection,
  options: DialLinkOptions,
): Promise<MixLink> {
  return await start(connection, options, options.remoteStaticKey, () => true);
}

/**
 * Answers a peer that makes a link over `connection`, which it takes over and closes if that fails.
 *
 * A replayed start gets as far as its third message, which is then that of another handshake: `unauthenticated`.
 *
 * @throws {RangeError} If packets are too short for the handshake.
 * @throws {MixnetError} As {@link dialLink}, and `refused` if {@link AcceptLinkOptions.isAllowed} says no.
 * @throws The reason of the signal.
 */
export async function acceptLink(
  connection: Connection,
  options: AcceptLinkOptions,
): Promise<MixLink> {
  const { isAllowed = () => true } = options;
  return await start(connection, options, undefined, isAllowed);
}

async function start(
  connection: Connection,
  options: LinkOptions,
  remoteStaticKey: Uint8Array | undefined,
  isAllowed: (remoteStaticKey: Bytes) => boolean,
): Promise<MixLink> {
  const { clock = systemClock, handshakeTimeoutMs = HANDSHAKE_MS } = options;
  using deadline = new Deadline(clock, handshakeTimeoutMs, {
    signal: options.signal,
  });
  const onAbort = () => connection.close();
  deadline.signal.addEventListener("abort", onAbort, { once: true });
  try {
    deadline.signal.throwIfAborted();
    using handshake = new LinkHandshake({
      ...options,
      ...(remoteStaticKey && { remoteStaticKey }),
    });
    await exchange(connection, handshake);
    deadline.signal.throwIfAborted();
    const secrets = handshake.secrets();
    if (!isAllowed(secrets.remoteStaticKey)) {
      secrets.sealer[Symbol.dispose]();
      secrets.opener[Symbol.dispose]();
      throw new MixnetError("refused", "We do not want this peer");
    }
    return new MixLink(connection, options.packetLength, secrets, options);
  } catch (error) {
    connection.close();
    options.signal?.throwIfAborted();
    if (!deadline.signal.aborted) throw error;
    throw new MixnetError("timeout", "A handshake took too long");
  } finally {
    deadline.signal.removeEventListener("abort", onAbort);
  }
}

/** Sends and reads messages until the handshake is finished. */
async function exchange(
  connection: Connection,
  handshake: LinkHandshake,
): Promise<void> {
  while (!handshake.finished) {
    if (handshake.myTurn) {
      await connection.write(handshake.write()).catch(broken);
    } else {handshake.read(
        await readMessage(connection, handshake.messageLength),
      );}
  }
}

/** Reads `length` bytes and none behind them, which are the link's. */
async function readMessage(
  connection: Connection,
  length: number,
): Promise<Bytes> {
  const message = new Uint8Array(length);
  for (let filled = 0; filled < length;) {
    const got = await connection.read(message.subarray(filled))
      .catch(broken);
    if (got === null) {
      throw filled > 0
        ? new MixnetError("truncated", "A handshake ended within a message")
        : new MixnetError("disconnected", "The peer ended the handshake");
    }
    filled += got;
  }
  return message;
}

function broken(cause: unknown): never {
  throw new MixnetError("disconnected", "A connection broke", { cause });
}

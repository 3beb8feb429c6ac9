/**
 * Peers that do all as they should but for the messages that an edit changes: keys and transcript follow what they sent.
 *
 * @module
 */
import { type Bytes, concat } from "../../src/core/bytes/mod.ts";
import { nodeProvider as crypto } from "../../src/core/crypto/mod.ts";
import { TlsClient } from "../../src/tls/client.ts";
import type { TlsEndpoint } from "../../src/tls/endpoint.ts";
import { type AlertName, TlsError } from "../../src/tls/mod.ts";
import type { OfferMaker } from "../../src/tls/offer_maker.ts";
import type { ContentType } from "../../src/tls/record.ts";
import { TlsServer } from "../../src/tls/server.ts";
import type { TlsServerOptions } from "../../src/tls/server_options.ts";
import type { Session } from "../../src/tls/session_cache.ts";
import { certificateOf, NOW } from "./_tls_pair.ts";

/** What is sent in the place of a handshake message. */
export type Edit = (message: Bytes) => readonly Uint8Array[];

/** Sends every message as it is. */
export function asItIs(message: Bytes): readonly Uint8Array[] {
  return [message];
}

/** A server with an edit. */
export class EditedServer extends TlsServer {
  readonly #edit: Edit;

  constructor(edit: Edit, options: Partial<TlsServerOptions> = {}) {
    super({
      certificates: [certificateOf("p256")],
      crypto,
      wallTime: () => NOW,
      ...options,
    });
    this.#edit = edit;
  }

  /** The record that holds `content` now. */
  record(type: ContentType, content: Uint8Array): Bytes {
    return this.sealer.seal(type, content);
  }

  protected override sendHandshake(...messages: readonly Uint8Array[]): void {
    for (const message of messages) {
      for (const sent of this.#edit(message as Bytes)) {
        super.sendHandshake(sent);
      }
    }
  }
}

/** A client with an edit, after its first hello, which is up to `offers`. */
export class EditedClient extends TlsClient {
  readonly #edit: Edit;

  constructor(edit: Edit, offers: OfferMaker, session?: Session) {
    super({ crypto, offers, nowMs: NOW, ...(session && { session }) });
    this.#edit = edit;
  }

  /** The record that holds `content` now. */
  record(type: ContentType, content: Uint8Array): Bytes {
    return this.sealer.seal(type, content);
  }

  protected override sendHandshake(...messages: readonly Uint8Array[]): void {
    const sent = #edit in this
      ? messages.flatMap((message) => this.#edit(message as Bytes))
      : messages; // the first hello, of the constructor
    if (sent.length > 0) super.sendHandshake(...sent);
  }
}

/** An edit that puts `change` of the messages of `type` in their place. */
export function replace(
  type: number,
  change: (message: Bytes) => Uint8Array | readonly Uint8Array[],
): Edit {
  return (message) => {
    if (message[0] !== type) return [message];
    const changed = change(message);
    return changed instanceof Uint8Array ? [changed] : changed;
  };
}

/** An edit that changes the bodies of the messages of `type`, their length too. */
export function rewrite(
  type: number,
  change: (body: Bytes) => Uint8Array,
): Edit {
  return replace(type, (message) => handshake(type, change(message.slice(4))));
}

/** A handshake message. */
export function handshake(type: number, body: Uint8Array): Bytes {
  const { length } = body;
  const header = [type, length >> 16, length >> 8 & 0xff, length & 0xff];
  return concat(new Uint8Array(header), body);
}

/**
 * Passes bytes between both until `victim` ends the connection or neither has more to say, and gives the alert that the victim has
 * sent and the peer has read.
 *
 * @param flights Changes each of the peer's writes, if given.
 */
export function alertOf(
  victim: TlsEndpoint,
  peer: TlsEndpoint,
  flights: (bytes: Bytes, index: number) => Uint8Array = (bytes) => bytes,
): AlertName | undefined {
  for (let i = 0; peer.hasOutput || victim.hasOutput;) {
    if (victim.hasOutput) peer.receive(victim.takeOutput());
    if (peer.certificatesToJudge) peer.accept();
    if (!peer.hasOutput) continue;
    try {
      victim.receive(flights(peer.takeOutput(), i++));
      if (victim.certificatesToJudge) victim.accept();
    } catch (error) {
      return alertSent(victim, peer, error);
    }
  }
  return undefined;
}

/** The alert that `victim` has sent after `error`, as `peer` reads it. */
export function alertSent(
  victim: TlsEndpoint,
  peer: TlsEndpoint,
  error: unknown,
): AlertName | undefined {
  if (!(error instanceof TlsError)) throw error;
  try {
    peer.receive(victim.takeOutput());
  } catch (heard) {
    if (!(heard instanceof TlsError)) throw heard;
    if (heard.code === "received_alert" && heard.alert === error.alert) {
      return error.alert;
    }
    throw heard;
  }
  throw new Error("No alert was sent", { cause: error });
}

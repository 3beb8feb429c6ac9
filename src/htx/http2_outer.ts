import { type Clock, systemClock } from "../core/async/mod.ts";
import { type Bytes, concat } from "../core/bytes/mod.ts";
import type { CryptoProvider } from "../core/crypto/mod.ts";
import { type Connection, fieldValue } from "../core/transport/mod.ts";
import { Http2Connection, type Priority } from "../http2/mod.ts";
import { drawSettings, type Profile } from "../utls/mod.ts";
import { makeHttp2TicketRequest, uploadFields } from "./http2_request.ts";
import {
  type Admission,
  type Outer,
  refused,
  SESSION_MEDIA_TYPE,
  type Visit,
} from "./outer.ts";
import { drawsPriority } from "./shaping.ts";
import { ClientStreamPair, MAX_DATA_BYTES } from "./stream_pair.ts";
import { drawCarrier } from "./ticket_policy.ts";

/** Options of {@link http2Outer}. */
export interface Http2OuterOptions {
  /** The browser to behave like. */
  readonly profile: Profile;
  /** Times PINGs; the machine's clock by default. */
  readonly clock?: Clock;
}

/** The weight that Chrome gives a `fetch()`, behind the 256 of a navigation. */
const FETCH_WEIGHT = 220;

/** HTTP/2 over a connection on which both sides know that it is spoken: a navigation, and behind its answer a stream pair. */
export function http2Outer(options: Http2OuterOptions): Outer {
  return async (connection, visit, crypto) => {
    const opening = new Http2Opening(options, visit, crypto);
    await connection.write(concat(...opening.records));
    return await opening.admit(connection);
  };
}

/** What a browser says first over HTTP/2, with the ticket in it, and what follows the answer. */
export class Http2Opening {
  /** What goes into each of the first TLS records. */
  readonly records: readonly Bytes[];
  readonly #http2: Http2Connection;
  readonly #streamId: number;
  readonly #options: Http2OuterOptions;
  readonly #visit: Visit;
  readonly #crypto: CryptoProvider;

  /** Draws the request. */
  constructor(
    options: Http2OuterOptions,
    visit: Visit,
    crypto: CryptoProvider,
  ) {
    this.#options = options;
    this.#visit = visit;
    this.#crypto = crypto;
    const { profile } = options;
    const { fields, body } = makeHttp2TicketRequest(profile, {
      carrier: drawCarrier(crypto, visit.offer.policy),
      payload: visit.ticket,
      host: visit.host,
      path: visit.path,
      cookieName: visit.offer.cookieName,
    });
    this.#http2 = new Http2Connection({
      role: "client",
      settings: drawSettings(profile.http2, crypto),
      windowIncrement: profile.http2.windowIncrement,
    });
    const greeting = this.#http2.takeOutgoing()!;
    this.#streamId = this.#http2.request(fields, {
      endStream: body.length === 0,
      priority: profile.http2.priority,
    });
    const request = this.#http2.takeOutgoing()!;
    if (body.length > 0) {
      this.#http2.send(this.#streamId, body, {
        endStream: true,
        maxDataBytes: MAX_DATA_BYTES,
      });
    }
    const form = this.#http2.takeOutgoing();
    this.records = [greeting, request, ...(form ? [form] : [])];
  }

  /**
   * Waits for the answer to {@link records}, which were sent over `connection`, and opens the uplink.
   *
   * @throws {HtxError} `refused` if it is the decoy's.
   * @throws {TransportError} If the connection breaks.
   */
  async admit(connection: Connection): Promise<Admission> {
    const { profile, clock = systemClock } = this.#options;
    const { host, path } = this.#visit;
    const pair = new ClientStreamPair({
      connection,
      http2: this.#http2,
      downlink: this.#streamId,
      clock,
      crypto: this.#crypto,
    });
    try {
      const fields = await pair.answer();
      const status = fieldValue(fields, ":status");
      const mediaType = fieldValue(fields, "content-type");
      const length = fieldValue(fields, "content-length");
      if (
        status !== "200" || mediaType !== SESSION_MEDIA_TYPE ||
        length !== undefined
      ) throw refused();
      await pair.openUplink(uploadFields(profile, host, path), {
        priority: this.#fetchPriority(),
        frame: drawsPriority(this.#crypto),
      });
      return { connection: pair, leftover: new Uint8Array(0) };
    } catch (error) {
      pair.close();
      throw error;
    }
  }

  #fetchPriority(): Priority {
    return {
      exclusive: true,
      dependency: this.#streamId,
      weight: FETCH_WEIGHT,
    };
  }
}

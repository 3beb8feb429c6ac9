import { type Clock, systemClock } from "../core/async/mod.ts";
import { type Bytes, concat } from "../core/bytes/mod.ts";
import type { CryptoProvider } from "../core/crypto/mod.ts";
import { type Connection, fieldValue } from "../core/transport/mod.ts";
import type { PeerGreeting, Priority } from "../http2/mod.ts";
import type { Profile } from "../utls/mod.ts";
import type { Stage } from "./calibration.ts";
import { FIRST_STREAM, Http2Client } from "./http2_client.ts";
import {
  type Http2Request,
  makeHttp2TicketRequest,
  uploadFields,
} from "./http2_request.ts";
import {
  type Admission,
  type Outer,
  refused,
  SESSION_MEDIA_TYPE,
  type Visit,
} from "./outer.ts";
import { drawsPriority } from "./shaping.ts";
import { ClientStreamPair } from "./stream_pair.ts";
import { drawCarrier } from "./ticket_policy.ts";

/** Options of {@link http2Outer}. */
export interface Http2OuterOptions {
  /** The browser to behave like. */
  readonly profile: Profile;
  /** Times PINGs; the machine's clock by default. */
  readonly clock?: Clock;
}

/** Looks at what the server has said, behind the answer and before a request that has waited; throws to send no more. */
export type Judge = (greeting: PeerGreeting | undefined, stage: Stage) => void;

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
  /** What goes into each of the first TLS records: all of the request too, unless that waits for `visit.start`. */
  readonly records: readonly Bytes[];
  readonly #client: Http2Client;
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
    this.#client = new Http2Client(options.profile, crypto);
    const request = visit.start ? undefined : this.#request();
    this.records = this.#client.opening(request);
  }

  /**
   * Waits for the answer to {@link records}, which were sent over `connection`, and opens the uplink.
   *
   * @throws {HtxError} `refused` if it is the decoy's.
   * @throws {TransportError} If the connection breaks.
   * @throws What the judge and `visit.start` do.
   */
  async admit(connection: Connection, judge?: Judge): Promise<Admission> {
    const { clock = systemClock } = this.#options;
    const { http2 } = this.#client;
    const { start } = this.#visit;
    if (start) {
      const greeting = await this.#client.greeted(connection, clock);
      judge?.(greeting, "greeted");
      await start;
      for (const bytes of this.#client.request(this.#request())) {
        await connection.write(bytes);
      }
    }
    const pair = new ClientStreamPair({
      connection,
      http2,
      downlink: FIRST_STREAM,
      clock,
      crypto: this.#crypto,
    });
    try {
      await this.#takeAnswer(pair);
      judge?.(http2.peerGreeting, "answered");
      await this.#openUplink(pair);
      return { connection: pair, leftover: new Uint8Array(0) };
    } catch (error) {
      pair.close();
      throw error;
    }
  }

  #request(): Http2Request {
    const { offer, ticket: payload, host, path } = this.#visit;
    return makeHttp2TicketRequest(this.#options.profile, {
      carrier: drawCarrier(this.#crypto, offer.policy),
      payload,
      host,
      path,
      cookieName: offer.cookieName,
    });
  }

  async #takeAnswer(pair: ClientStreamPair): Promise<void> {
    const fields = await pair.answer();
    const status = fieldValue(fields, ":status");
    const mediaType = fieldValue(fields, "content-type");
    const length = fieldValue(fields, "content-length");
    if (
      status !== "200" || mediaType !== SESSION_MEDIA_TYPE ||
      length !== undefined
    ) throw refused();
  }

  #openUplink(pair: ClientStreamPair): Promise<void> {
    const { host, path } = this.#visit;
    const priority: Priority = {
      exclusive: true,
      dependency: FIRST_STREAM,
      weight: FETCH_WEIGHT,
    };
    return pair.openUplink(uploadFields(this.#options.profile, host, path), {
      priority,
      frame: drawsPriority(this.#crypto),
    });
  }
}

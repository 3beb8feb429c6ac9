import type { Clock } from "../core/async/mod.ts";
import type { Bytes } from "../core/bytes/mod.ts";
import type { CryptoProvider } from "../core/crypto/mod.ts";
import { type Connection, TransportError } from "../core/transport/mod.ts";
import {
  Http2Connection,
  type Http2Event,
  type PeerGreeting,
} from "../http2/mod.ts";
import { drawSettings, type Profile } from "../utls/mod.ts";
import { firstRecords } from "./first_records.ts";
import type { Http2Request } from "./http2_request.ts";
import { MAX_DATA_BYTES } from "./stream_pair.ts";

/** The stream of the first request. */
export const FIRST_STREAM = 1;

const READ_BYTES = 65_536;
const NOTHING: Bytes = new Uint8Array(0);

/** A browser's end of HTTP/2 until its first request has been answered. */
export class Http2Client {
  /** Its state. */
  readonly http2: Http2Connection;
  /** Preface, SETTINGS and WINDOW_UPDATE. */
  readonly #greeting: Bytes;
  readonly #profile: Profile;
  readonly #buffer = new Uint8Array(READ_BYTES);

  /** Draws what the browser of `profile` says first. */
  constructor(profile: Profile, crypto: CryptoProvider) {
    this.#profile = profile;
    this.http2 = new Http2Connection({
      role: "client",
      settings: drawSettings(profile.http2, crypto),
      windowIncrement: profile.http2.windowIncrement,
    });
    this.#greeting = this.http2.takeOutgoing()!;
  }

  /** What the browser says first, for one TLS record each, and `first` with it unless that has to wait. */
  opening(first?: Http2Request): Bytes[] {
    const [head, ...form] = first ? this.request(first) : [];
    const { http2 } = this.#profile;
    const records = firstRecords(http2, this.#greeting, head ?? NOTHING);
    return [...records, ...form];
  }

  /**
   * The bytes of the first request, for one TLS record each.
   *
   * @throws {TransportError} `reset` if the server has said that it takes none.
   */
  request({ fields, body }: Http2Request): Bytes[] {
    const endStream = body.length === 0;
    const { priority } = this.#profile.http2;
    try {
      this.http2.request(fields, { endStream, priority });
    } catch (cause) {
      throw new TransportError("reset", "Server takes no request", { cause });
    }
    const head = this.http2.takeOutgoing()!;
    if (body.length === 0) return [head];
    this.http2.send(FIRST_STREAM, body, {
      endStream: true,
      maxDataBytes: MAX_DATA_BYTES,
    });
    const form = this.http2.takeOutgoing();
    return form ? [head, form] : [head];
  }

  /**
   * Reads once, and writes what that asks for; `undefined` at the end.
   *
   * @throws {TransportError} `malformed` if the server breaks HTTP/2; if the connection breaks.
   */
  async read(
    connection: Connection,
    clock: Clock,
  ): Promise<Http2Event[] | undefined> {
    const length = await connection.read(this.#buffer);
    if (length === null) return undefined;
    const received = this.#buffer.subarray(0, length);
    const events = this.http2.receive(received, clock.now());
    for (const event of events) {
      if (event.type === "data") {
        this.http2.consume(event.streamId, event.data.length);
      } else if (event.type === "failed") {
        const { error: cause } = event;
        const message = "Server broke HTTP/2";
        throw new TransportError("malformed", message, { cause });
      }
    }
    const bytes = this.http2.takeOutgoing();
    if (bytes) await connection.write(bytes);
    return events;
  }

  /**
   * Reads until the server has said its SETTINGS, and acknowledges them.
   *
   * @throws {TransportError} As {@link read}; `reset` if the connection ends.
   */
  async greeted(connection: Connection, clock: Clock): Promise<PeerGreeting> {
    for (;;) {
      const { peerGreeting } = this.http2;
      if (peerGreeting) return peerGreeting;
      if (!await this.read(connection, clock)) {
        throw new TransportError("reset", "Connection ended without SETTINGS");
      }
    }
  }
}

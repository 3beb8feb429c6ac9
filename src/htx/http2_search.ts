import { concat } from "../core/bytes/mod.ts";
import type { Connection, RequestHead } from "../core/transport/mod.ts";
import {
  decodeFrame,
  decodeHeaders,
  type Frame,
  FRAME_HEADER_LENGTH,
  FRAME_TYPE,
  type HeaderField,
  Http2Connection,
  type Http2Event,
  PREFACE_LENGTH,
  type Setting,
} from "../http2/mod.ts";
import {
  MAX_TICKET_HEAD_LENGTH,
  type NoTicket,
  ticketIn,
  type TicketRequest,
} from "./carrier.ts";

const EMPTY = new Uint8Array(0);
/** Whole frames are wanted here, however long. */
const ANY_LENGTH = 2 ** 24 - 1;
/** What may come until the first request is whole; an origin may answer other frames at once, and we would not. */
const EXPECTED_TYPES: ReadonlySet<number> = new Set([
  FRAME_TYPE.data,
  FRAME_TYPE.headers,
  FRAME_TYPE.settings,
  FRAME_TYPE.ping,
  FRAME_TYPE.windowUpdate,
]);

/** What a server sends first over HTTP/2. */
export interface Http2Greeting {
  /** Its SETTINGS in their order. */
  readonly settings: readonly Setting[];
  /** The increment of the WINDOW_UPDATE behind them; 0 for none. */
  readonly windowUpdate: number;
}

/**
 * Looks for the ticket in what a visitor says first over HTTP/2.
 *
 * Only the first request can carry a ticket; what is malformed, or no whole request within {@link MAX_TICKET_HEAD_LENGTH} bytes,
 * carries none, nor does what begins with frames that no browser sends: PRIORITY, CONTINUATION, one of an unknown type. Until that is known it says what every server does: its greeting, and the acknowledgements that are asked for.
 * Without a greeting it says nothing.
 */
export class Http2Search {
  /** Our end, which has taken all that was searched. */
  readonly http2: Http2Connection;
  readonly #speaks: boolean;
  #said: Uint8Array = EMPTY;
  readonly #cookieName: string;
  #searched = 0;
  /** Where the first frame begins that was not looked at. */
  #frameAt = PREFACE_LENGTH;
  #head: RequestHead | undefined;
  #streamId = 0;
  #form: Uint8Array = EMPTY;
  #rest: Http2Event[] = [];

  /** Starts with no bytes. */
  constructor(cookieName: string, greeting?: Http2Greeting) {
    this.#cookieName = cookieName;
    this.#speaks = greeting !== undefined;
    this.http2 = new Http2Connection({
      role: "server",
      settings: greeting?.settings ?? [],
      windowIncrement: greeting?.windowUpdate ?? 0,
      maxHeaderListBytes: 2 * MAX_TICKET_HEAD_LENGTH,
    });
  }

  /** All that {@link speak} has said. */
  get said(): Uint8Array {
    return this.#said;
  }

  /**
   * Writes what is to be said before the ticket is found.
   *
   * @throws {TransportError} If the connection breaks.
   */
  async speak(connection: Pick<Connection, "write">): Promise<void> {
    const bytes = this.#speaks ? this.http2.takeOutgoing() : undefined;
    if (!bytes) return;
    this.#said = concat(this.#said, bytes);
    await connection.write(bytes);
  }

  /** The request's stream, once a ticket was found. */
  get streamId(): number {
    return this.#streamId;
  }

  /** What came behind the request, once a ticket was found. */
  get rest(): readonly Http2Event[] {
    return this.#rest;
  }

  /** Looks on in everything received so far; `undefined` means that more is needed. */
  find(
    received: Uint8Array,
    nowMs: number,
  ): TicketRequest | NoTicket | undefined {
    const more = received.subarray(this.#searched);
    this.#searched = received.length;
    const events = this.http2.receive(more, nowMs);
    for (const [at, event] of events.entries()) {
      const found = this.#look(event);
      if (found === undefined) continue;
      this.#rest = events.slice(at + 1);
      return typeof found === "string"
        ? found
        : { ...found, length: received.length };
    }
    const isLong = received.length > MAX_TICKET_HEAD_LENGTH;
    return isLong || !this.#areExpected(received) ? "none" : undefined;
  }

  #areExpected(received: Uint8Array): boolean {
    for (;;) {
      const rest = received.subarray(this.#frameAt);
      if (rest.length < FRAME_HEADER_LENGTH) return true;
      if (!EXPECTED_TYPES.has(rest[3]!)) return false;
      const frame = decodeFrame(rest, ANY_LENGTH);
      if (!frame) return true;
      if (dependsOnItself(frame)) return false;
      this.#frameAt += FRAME_HEADER_LENGTH + frame.payload.length;
    }
  }

  #look(
    event: Http2Event,
  ): Omit<TicketRequest, "length"> | NoTicket | undefined {
    if (event.type === "settings") return undefined;
    if (event.type === "headers" && !this.#head) {
      this.#head = requestHead(event.fields);
      this.#streamId = event.streamId;
    } else if (event.type === "data" && this.#head) {
      this.#form = concat(this.#form, event.data);
      this.http2.consume(event.streamId, event.data.length);
    } else return "none";
    const head = this.#head;
    const found = ticketIn(head, this.#form, this.#cookieName);
    if (found === undefined) return event.endStream ? "none" : undefined;
    if (typeof found === "string") return found;
    if (!event.endStream) return head.method === "POST" ? undefined : "none";
    return { head, payload: found.payload };
  }
}

/** An origin that minds priorities resets such a stream. */
function dependsOnItself(frame: Frame): boolean {
  if (frame.type !== FRAME_TYPE.headers) return false;
  return decodeHeaders(frame).priority?.dependency === frame.streamId;
}

function requestHead(fields: readonly HeaderField[]): RequestHead {
  const pseudo = new Map(fields);
  return {
    method: pseudo.get(":method") ?? "",
    target: pseudo.get(":path") ?? "",
    fields: fields.filter(([name]) => !name.startsWith(":")),
  };
}

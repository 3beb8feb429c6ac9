import { type Clock, Deadline, systemClock } from "../core/async/mod.ts";
import { concat } from "../core/bytes/mod.ts";
import { defaultProvider } from "../core/crypto/mod.ts";
import {
  type Address,
  type Connection,
  decodeResponseHead,
  encodeRequestHead,
  fieldValue,
  parseAddress,
  readHead,
  TransportError,
} from "../core/transport/mod.ts";
import type { Http2Event, PeerGreeting } from "../http2/mod.ts";
import {
  dialTls,
  type DialTlsOptions,
  type TlsConnection,
} from "../tls/mod.ts";
import { navigationFields, type Profile, profileOf } from "../utls/mod.ts";
import { pageFields } from "./browser_fields.ts";
import type { OriginTraits } from "./calibration.ts";
import { closeOnAbort } from "./close_on_abort.ts";
import { FIRST_STREAM, Http2Client } from "./http2_client.ts";
import { authorityOf, type Http2Request } from "./http2_request.ts";

/** Options of {@link visitPage}. */
export interface PageVisitOptions extends
  Pick<
    DialTlsOptions,
    | "verify"
    | "sessions"
    | "resume"
    | "alpn"
    | "crypto"
    | "clock"
    | "signal"
  > {
  /** Limit of connecting, handshake and answer together in milliseconds, default 10 s. */
  readonly timeoutMs?: number;
  /** The browser to behave like; the newest known by default. */
  readonly profile?: Profile;
  /** The host that the certificate must be for, sent in the hello unless it is an IP address; that of the address by default. */
  readonly serverName?: string;
  /** The host and port to ask for; those of the address by default. */
  readonly host?: string;
  /** The path to ask for. Default `/`. */
  readonly path?: string;
  /** How to connect. Default: by TCP. */
  readonly dial?: (
    address: Address,
    options: { readonly signal?: AbortSignal },
  ) => Promise<Connection>;
}

/** A page that was fetched. */
export interface PageVisit {
  /** What the origin showed. */
  readonly traits: OriginTraits;
  /** The status of its answer. */
  readonly status: number;
  /** The media type of its answer, or empty. */
  readonly mediaType: string;
  /** What it was fetched over, still open unless the origin has ended it. */
  readonly connection: TlsConnection;
}

/** Longest page that is read; the connection is closed within a longer one. */
const MAX_PAGE_BYTES = 4_194_304;
const TIMEOUT_MS = 10_000;
/** Statuses whose answers have no body (RFC 9110 §6.4.1). */
const WITHOUT_BODY: readonly number[] = [204, 304];

interface Answer {
  readonly status: number;
  readonly mediaType: string;
  readonly greeting?: PeerGreeting;
  readonly ticketLengths: readonly number[];
}

/**
 * Fetches one page as the browser would that opens it first: TLS, HTTP/2 or HTTP/1.1, a navigation and its answer, which is
 * read to its end. What a browser fetches because of what is in the page is not fetched.
 *
 * @param address `tls://host:port`; `wss://host:port` for the hello of a WebSocket, and so HTTP/1.1.
 * @throws {TlsError | TransportError} As {@link dialTls}; `malformed` or `reset` if the answer is none.
 * @throws The reason of the signal, or a `TimeoutError`.
 */
export async function visitPage(
  address: Address,
  options: PageVisitOptions,
): Promise<PageVisit> {
  const { clock = systemClock, timeoutMs = TIMEOUT_MS, signal } = options;
  using deadline = new Deadline(clock, timeoutMs, signal ? { signal } : {});
  try {
    return await visit(address, { ...options, signal: deadline.signal });
  } catch (error) {
    deadline.signal.throwIfAborted();
    throw error;
  }
}

async function visit(
  address: Address,
  options: PageVisitOptions & { readonly signal: AbortSignal },
): Promise<PageVisit> {
  const { crypto = defaultProvider(), clock = systemClock, dial } = options;
  const { profile = profileOf("latest") } = options;
  const { scheme, hostname } = parseAddress(address);
  const [, authority] = address.split(/^[a-z]+:\/\/|\//);
  const page = {
    host: options.host ?? authority!,
    path: options.path ?? "/",
  };
  const tcp = `tcp://${authority}`;
  let client: Http2Client | undefined;
  const connection = await dialTls(await dial?.(tcp, options) ?? tcp, {
    ...options,
    serverName: options.serverName ?? hostname,
    profile,
    variant: scheme === "wss" ? "websocket" : "page",
    firstFlight(alpn) {
      if (alpn !== "h2") return [];
      client = new Http2Client(profile, crypto);
      return client.opening(pageRequest(profile, page));
    },
  });
  using _ = closeOnAbort(options.signal, connection);
  try {
    const answer = client
      ? await answerOverHttp2(connection, client, clock)
      : await answerOverHttp1(connection, profile, page);
    const { greeting, ticketLengths, status, mediaType } = answer;
    const { alpn, resumed } = connection;
    const { settings = [], windowUpdate = 0 } = greeting ?? {};
    const traits = { alpn, resumed, settings, windowUpdate, ticketLengths };
    return { traits, status, mediaType, connection };
  } catch (error) {
    connection.close();
    throw error;
  }
}

/**
 * What an origin says first over HTTP/2 on `connection`, which begins with it and is closed; `undefined` if it speaks something
 * else.
 */
export async function greetingOf(
  connection: Connection,
  host: string,
): Promise<PeerGreeting | undefined> {
  const profile = profileOf("latest");
  const client = new Http2Client(profile, defaultProvider());
  const request = pageRequest(profile, { host, path: "/" });
  try {
    await connection.write(concat(...client.opening(request)));
    const { greeting } = await answerOverHttp2(connection, client, systemClock);
    return greeting;
  } catch (error) {
    if (error instanceof TransportError) return undefined;
    throw error;
  } finally {
    connection.close();
  }
}

function pageRequest(
  profile: Profile,
  { host, path }: { readonly host: string; readonly path: string },
): Http2Request {
  const target = { authority: authorityOf(host), path };
  const fields = navigationFields(profile, target);
  return { fields, body: new Uint8Array(0) };
}

async function answerOverHttp2(
  connection: Connection & Partial<Pick<TlsConnection, "ticketLengths">>,
  client: Http2Client,
  clock: Clock,
): Promise<Answer> {
  let answer: Answer | undefined;
  for (let bytes = 0; bytes < MAX_PAGE_BYTES;) {
    const events = await client.read(connection, clock);
    if (!events) break;
    for (const event of events) {
      if (event.type === "data") bytes += event.data.length;
      answer ??= answerIn(event, {
        greeting: client.http2.peerGreeting!,
        ticketLengths: [...connection.ticketLengths ?? []],
      });
    }
    if (events.some(isEnd)) break;
  }
  if (answer) return answer;
  throw new TransportError("reset", "Origin gave no answer");
}

function answerIn(
  event: Http2Event,
  seen: Pick<Answer, "greeting" | "ticketLengths">,
): Answer | undefined {
  if (event.type !== "headers" || event.streamId !== FIRST_STREAM) return;
  const status = Number(fieldValue(event.fields, ":status"));
  if (status < 200) return undefined;
  const mediaType = fieldValue(event.fields, "content-type") ?? "";
  return { ...seen, status, mediaType };
}

function isEnd(event: Http2Event): boolean {
  return event.type === "reset" || event.type === "goAway" ||
    "endStream" in event && event.endStream;
}

async function answerOverHttp1(
  connection: TlsConnection,
  profile: Profile,
  { host, path }: { readonly host: string; readonly path: string },
): Promise<Answer> {
  await connection.write(encodeRequestHead({
    method: "GET",
    target: path,
    fields: pageFields(host, profile),
  }));
  const { head, leftover } = await readHead(connection, decodeResponseHead);
  const ticketLengths = [...connection.ticketLengths];
  const length = WITHOUT_BODY.includes(head.status)
    ? 0
    : Number(fieldValue(head.fields, "Content-Length") ?? Infinity);
  await readBody(connection, leftover, Math.min(length, MAX_PAGE_BYTES));
  const mediaType = fieldValue(head.fields, "Content-Type") ?? "";
  return { status: head.status, mediaType, ticketLengths };
}

/** Reads `length` bytes and drops them; fewer if they end before, or end like the last chunk of a body in chunks. */
async function readBody(
  connection: Connection,
  leftover: Uint8Array,
  length: number,
): Promise<void> {
  const buffer = new Uint8Array(16_384);
  let tail = String.fromCharCode(...leftover.subarray(-LAST_CHUNK.length));
  for (let left = length - leftover.length; left > 0;) {
    if (tail === LAST_CHUNK) return;
    const count = await connection.read(buffer);
    if (count === null) return;
    left -= count;
    const end = buffer.subarray(Math.max(count - LAST_CHUNK.length, 0), count);
    tail = (tail + String.fromCharCode(...end)).slice(-LAST_CHUNK.length);
  }
}

const LAST_CHUNK = "0\r\n\r\n";

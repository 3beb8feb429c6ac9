import { DecodeError, utf8 } from "../../src/core/bytes/mod.ts";
import { defaultProvider } from "../../src/core/crypto/mod.ts";
import {
  type Connection,
  type Listener,
  listenTcp,
  parseAddress,
  selfSigned,
  serveHttp,
} from "../../src/core/transport/mod.ts";
import {
  listenTls,
  serverCertificate,
  TicketKeys,
  type TlsListener,
} from "../../src/tls/mod.ts";
import { GROUP, type LearnedHello } from "../../src/utls/mod.ts";
import { runBrowser } from "./browser.ts";
import { capturePage } from "./capture_page.ts";
import { RecordedListener } from "./recorded_listener.ts";
import { sentHellos } from "./sent_records.ts";
import { serveAll } from "./serve_all.ts";

/** A hello that a browser sent. */
export type CapturedHello = Omit<LearnedHello, "process" | "aesHardware">;

/** What came of a capture. */
export interface Capture {
  /** The hellos in the order of their connections' ends. */
  readonly hellos: readonly CapturedHello[];
  /** Connections that began otherwise than with a hello, and were left out. */
  readonly undecodable: number;
}

/** What it was sent for. */
export type CaptureKind = CapturedHello["kind"];

/** How hellos are captured. */
export interface CaptureOptions {
  /** The browser's executable. */
  readonly executable: string;
  /** How many hellos are wanted of which kind. */
  readonly wanted: Partial<Readonly<Record<CaptureKind, number>>>;
  /** Variables for the browser's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Called after each hello with how many there are. */
  readonly progress?: (hellos: number) => void;
  /** Stops. */
  readonly signal: AbortSignal;
}

/** Longest time to start, and for each hello besides; browsers open WebSockets slowly. */
const START_MS = 30_000;
const HELLO_MS = 30;
const WEBSOCKET_MS = 1_000;

/**
 * Runs one process of the browser and takes the hellos of its connections, all of which come to us.
 *
 * Those for pages, WebSockets and IP addresses are closed without an answer; for `retry` we are a server that knows P-384
 * only, for `resumed` one that gives tickets.
 *
 * @throws {CliError} If the browser cannot be started or sends too few in time.
 */
export async function captureHellos(
  options: CaptureOptions,
): Promise<Capture> {
  const { wanted, signal, progress } = options;
  const wantedKinds = Object.keys(wanted) as CaptureKind[];
  const hellos: CapturedHello[] = [];
  const left = new Map<CaptureKind, number>(
    wantedKinds.map((kind) => [kind, wanted[kind]!]),
  );
  const done = Promise.withResolvers<void>();
  let undecodable = 0;
  const take = (sent: Uint8Array) => {
    const found = decodable(sent);
    if (!found) undecodable++;
    for (const hello of found ?? []) {
      const more = left.get(hello.kind) ?? 0;
      if (more === 0) continue;
      left.set(hello.kind, more - 1);
      hellos.push(hello);
      progress?.(hellos.length);
    }
    if (left.values().every((more) => more === 0)) done.resolve();
  };
  await using servers = new AsyncDisposableStack();
  const { certPem: chainPem, keyPem } = await selfSigned({
    names: ["capture.example"],
  });
  const certificates = [serverCertificate({ chainPem, keyPem })];
  const record = () =>
    new RecordedListener(listenTcp("tcp://127.0.0.1:0"), take);
  const silent = use(servers, record(), readRecord);
  const retry = use(
    servers,
    listenTls(record(), {
      certificates,
      preferences: { groups: [GROUP.p384] },
    }),
    readOnce,
  );
  const tickets = servers.use(new TicketKeys(defaultProvider()));
  const resume = use(
    servers,
    listenTls(record(), { certificates, tickets, alpn: ["http/1.1"] }),
    answerOnce,
  );
  const site = servers.use(serveHttp(
    () =>
      new Response(capturePage(wantedKinds), {
        headers: { "content-type": "text/html" },
      }),
    { hostname: "127.0.0.1", port: 0, signal },
  ));
  await runBrowser({
    ...options,
    url: `${site.address}/`,
    resolverRules: [
      `MAP *.silent.example ${silent}`,
      `MAP 198.18.* ${silent}`,
      `MAP *.retry.example ${retry}`,
      `MAP *.resume.example ${resume}`,
    ],
    done: done.promise,
    timeoutMs: wantedKinds.reduce(
      (ms, kind) =>
        ms + wanted[kind]! * (kind === "websocket" ? WEBSOCKET_MS : HELLO_MS),
      START_MS,
    ),
  });
  return { hellos, undecodable };
}

/** The hellos in what a client sent, or `undefined` if they are malformed. */
function decodable(sent: Uint8Array): CapturedHello[] | undefined {
  try {
    return sentHellos(sent);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/** Serves each connection with `serve` until `servers` ends, and gives host and port. */
function use(
  servers: AsyncDisposableStack,
  listener: Listener | TlsListener,
  serve: (connection: Connection) => Promise<void>,
): string {
  const serving = serveAll(listener, serve);
  servers.defer(() => serving);
  servers.use(listener);
  return `127.0.0.1:${parseAddress(listener.address).port}`;
}

const BUFFER_BYTES = 16_384;

/** Reads until the first record is whole. */
async function readRecord(connection: Connection): Promise<void> {
  const buffer = new Uint8Array(BUFFER_BYTES);
  const payloadLength = () => buffer[3]! << 8 | buffer[4]!;
  for (let at = 0; at < 5 || at < 5 + payloadLength();) {
    const length = await connection.read(buffer.subarray(at));
    if (length === null) return;
    at += length;
  }
}

async function readOnce(connection: Connection): Promise<void> {
  await connection.read(new Uint8Array(BUFFER_BYTES));
}

/** Answers one request. */
async function answerOnce(connection: Connection): Promise<void> {
  await readOnce(connection);
  await connection.write(
    utf8("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"),
  );
  await connection.closeWrite();
}

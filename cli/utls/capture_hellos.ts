import {
  type Connection,
  listenTcp,
  parseAddress,
  serveHttp,
  type TcpListener,
} from "../../src/core/transport/mod.ts";
import {
  type ClientHello,
  decodeClientHello,
  type HelloKind,
} from "../../src/utls/mod.ts";
import { runBrowser } from "./browser.ts";

/** A hello as the browser sent it. */
export interface CapturedHello {
  /** Version of the record that carried it. */
  readonly recordVersion: number;
  /** What it says. */
  readonly hello: ClientHello;
}

/** How hellos are captured. */
export interface CaptureOptions {
  /** The browser's executable. */
  readonly executable: string;
  /** What it shall open. */
  readonly kind: Exclude<HelloKind, "resumed">;
  /** How many hellos are wanted. */
  readonly count: number;
  /** Called after each with how many there are. */
  readonly progress?: (hellos: number) => void;
  /** Stops. */
  readonly signal: AbortSignal;
}

/** Longest time for one process, besides that for each hello. */
const START_MS = 30_000;
const HELLO_MS = 30;

const TLS_HANDSHAKE = 22;
const RECORD_HEADER_LENGTH = 5;

/** A page that opens connections to hosts without end, each host once, some at a time. */
const PAGES: Readonly<Record<CaptureOptions["kind"], string>> = {
  page: page("fetch(`https://h${n}.example.com/`, { mode: 'no-cors' })"),
  websocket: page(
    "new Promise((_, no) => new WebSocket(`wss://h${n}.example.com/`).onerror = no)",
  ),
  address: page(
    "fetch(`https://198.18.${n >> 8}.${n & 255}/`, { mode: 'no-cors' })", // RFC 2544's addresses
  ),
};

function page(open: string): string {
  return `<!doctype html><script>
let next = 0;
const work = async () => {
  for (;;) {
    const n = next++;
    try { await ${open}; } catch {}
  }
};
for (let i = 0; i < 12; i++) work();
</script>`;
}

/**
 * Runs one process of the browser and takes the hellos of its connections, which go to this process and get no answer.
 *
 * @throws {CliError} If the browser cannot be started or sends too few in time.
 */
export async function captureHellos(
  options: CaptureOptions,
): Promise<CapturedHello[]> {
  const { executable, kind, count, signal } = options;
  const hellos: CapturedHello[] = [];
  const done = Promise.withResolvers<void>();
  await using listener = listenTcp("tcp://127.0.0.1:0");
  const taking = takeHellos(listener, (hello) => {
    if (hellos.length === count) return;
    hellos.push(hello);
    options.progress?.(hellos.length);
    if (hellos.length === count) done.resolve();
  });
  await using site = serveHttp(
    () =>
      new Response(PAGES[kind], { headers: { "content-type": "text/html" } }),
    { hostname: "127.0.0.1", port: 0, signal },
  );
  const to = `127.0.0.1:${parseAddress(listener.address).port}`;
  await runBrowser({
    executable,
    url: `${site.address}/`,
    resolverRules: kind === "address"
      ? `MAP 198.18.* ${to}`
      : `MAP *.example.com ${to}`,
    done: done.promise,
    timeoutMs: START_MS + count * HELLO_MS,
    signal,
  });
  listener.close();
  await taking;
  return hellos;
}

/** Takes one hello of each connection until `listener` closes. */
async function takeHellos(
  listener: TcpListener,
  take: (hello: CapturedHello) => void,
): Promise<void> {
  const reading = new Set<Promise<void>>();
  for await (const connection of listener) {
    const read = readHello(connection).then((hello) => hello && take(hello))
      .finally(() => reading.delete(read));
    reading.add(read);
  }
  await Promise.all(reading);
}

/** The hello that fills the first record of `connection`, which it closes; `undefined` if something else comes. */
async function readHello(
  connection: Connection,
): Promise<CapturedHello | undefined> {
  await using _connection = connection;
  const buffer = new Uint8Array(RECORD_HEADER_LENGTH + 0x4000);
  const view = new DataView(buffer.buffer);
  try {
    for (let length = 0;;) {
      const read = await connection.read(buffer.subarray(length));
      if (read === null) return undefined;
      length += read;
      if (length < RECORD_HEADER_LENGTH) continue;
      const end = RECORD_HEADER_LENGTH + view.getUint16(3);
      if (buffer[0] !== TLS_HANDSHAKE || end > buffer.length) return undefined;
      if (length < end) continue;
      return {
        recordVersion: view.getUint16(1),
        hello: decodeClientHello(buffer.subarray(RECORD_HEADER_LENGTH, end)),
      };
    }
  } catch {
    return undefined; // a connection that broke, or carried no hello
  }
}

import { type Bytes, concat } from "../../src/core/bytes/mod.ts";
import {
  type Connection,
  listenTcp,
  parseAddress,
  selfSigned,
} from "../../src/core/transport/mod.ts";
import { listenTls, serverCertificate } from "../../src/tls/mod.ts";
import { akamaiText, type LearnedStart } from "../../src/utls/mod.ts";
import { runBrowser } from "./browser.ts";
import { RecordedListener } from "./recorded_listener.ts";
import { splitAsSent } from "./sent_records.ts";
import { serveAll } from "./serve_all.ts";

const TIMEOUT_MS = 30_000;

/** What is read until the first request is whole. */
const MAX_START_BYTES = 16_384;

/**
 * Runs one process of the browser, has it open a page over HTTP/2, and takes what it sends first.
 *
 * @throws {CliError} If the browser cannot be started or does not open the page.
 */
export async function captureStart(
  options: { readonly executable: string; readonly signal: AbortSignal },
): Promise<LearnedStart> {
  const done = Promise.withResolvers<void>();
  let start: LearnedStart | undefined;
  let data = new Uint8Array(0);
  const recorded = new RecordedListener(
    listenTcp("tcp://127.0.0.1:0"),
    (sent) => {
      const parts = splitAsSent(data, sent);
      const length = parts.reduce((sum, part) => sum + part.length, 0);
      if (length === 0 || length < data.length) return; // another connection
      start = parts;
      done.resolve();
    },
  );
  const { certPem: chainPem, keyPem } = await selfSigned({
    names: ["www.example.com"],
  });
  await using listener = listenTls(recorded, {
    certificates: [serverCertificate({ chainPem, keyPem })],
    alpn: ["h2"],
  });
  const serving = serveAll(listener, async (connection) => {
    const read = await readStart(connection);
    if (data.length === 0) data = read;
  });
  await runBrowser({
    ...options,
    url: "https://www.example.com/",
    resolverRules: [
      `MAP www.example.com:443 127.0.0.1:${
        parseAddress(listener.address).port
      }`,
    ],
    done: done.promise,
    timeoutMs: TIMEOUT_MS,
  });
  listener.close();
  await serving;
  return start!;
}

/** The data up to the end of the first request; empty if none comes. */
async function readStart(connection: Connection): Promise<Bytes> {
  let data = new Uint8Array(0);
  const buffer = new Uint8Array(MAX_START_BYTES);
  while (data.length < MAX_START_BYTES) {
    const length = await connection.read(buffer);
    if (length === null) break;
    data = concat(data, buffer.subarray(0, length));
    if (akamaiText(data) !== undefined) return data;
  }
  return new Uint8Array(0);
}

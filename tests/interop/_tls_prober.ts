import { concat, encodeHex, utf8 } from "../../src/core/bytes/mod.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import { parseAddress } from "../../src/core/transport/mod.ts";
import {
  decodeFrame,
  decodeHeaders,
  FLAG,
  FRAME_HEADER_LENGTH,
  FRAME_TYPE,
  HpackDecoder,
} from "../../src/http2/mod.ts";
import { TlsClient } from "../../src/tls/client.ts";
import { TlsError } from "../../src/tls/mod.ts";
import { profileOffers } from "../../src/tls/offer_maker.ts";
import { CONTENT_TYPE, type ContentType } from "../../src/tls/record.ts";
import type { Session } from "../../src/tls/session_cache.ts";
import {
  decodeServerHello,
  isHelloRetryRequest,
  profileOf,
} from "../../src/utls/mod.ts";

/** What a prober does with a connection; what comes back is noted meanwhile. */
export type Probe = (prober: Prober) => Promise<void> | void;

/** What {@link Prober.handshake} varies. */
export interface ProberHandshake {
  /** Protocols to offer; `http/1.1` if not given. */
  readonly alpn?: readonly string[];
  /** The name to ask for. */
  readonly serverName?: string;
  /** A session to resume. */
  readonly session?: Session;
}

/** How long a server must be silent for the prober to go on. */
const SILENCE_MS = 250;
/** How long it must be silent at the end, while others are probed too. */
const LAST_SILENCE_MS = 600;

/**
 * What the server at `address` does when it is probed, one thing a line: records of TLS, then what is in them, at last how the
 * connection ends. Randoms, keys and dates are left out; so is how data is cut into records.
 */
export async function probe(address: string, probe: Probe): Promise<string[]> {
  const { hostname, port } = parseAddress(address);
  using prober = new Prober(await Deno.connect({ hostname, port }));
  await probe(prober);
  return await prober.finish();
}

/** A TLS client that may send anything, whole or broken. */
class ProberClient extends TlsClient {
  /** A record of our own making under the present keys. */
  seal(type: number, content: Uint8Array): Uint8Array {
    return this.sealer.seal(type as ContentType, content);
  }
}

/** One connection of a prober. */
export class Prober implements Disposable {
  readonly #tcp: Deno.TcpConn;
  readonly #lines: string[] = [];
  readonly #reading: Promise<void>;
  #client: ProberClient | undefined;
  #input: Uint8Array = new Uint8Array(0);
  #text = "";
  #frames: Uint8Array = new Uint8Array(0);
  readonly #hpack = new HpackDecoder();
  #end: "FIN" | "RST" | undefined;
  #heard = Promise.withResolvers<void>();

  /** Takes over `tcp`. */
  constructor(tcp: Deno.TcpConn) {
    tcp.setNoDelay(true);
    this.#tcp = tcp;
    this.#reading = this.#readAll();
  }

  /** Writes `bytes` as they are; what the server no longer takes is dropped. */
  async raw(bytes: Uint8Array | string): Promise<void> {
    let rest = typeof bytes === "string" ? utf8(bytes) : bytes;
    try {
      while (rest.length > 0) {
        rest = rest.subarray(await this.#tcp.write(rest));
      }
    } catch { // it has closed, which its end shows
    }
  }

  /** Does a handshake as Chrome, as far as the server lets it. */
  async handshake(options: ProberHandshake = {}): Promise<void> {
    const { alpn = ["http/1.1"], serverName = "tls.test", session } = options;
    this.#client = new ProberClient({
      crypto: nodeProvider,
      offers: profileOffers(profileOf(133), {
        crypto: nodeProvider,
        serverName,
        alpn,
      }),
      nowMs: Date.now(),
      ...(session && { session }),
    });
    await this.flush();
    while (!this.#client.agreement && !this.#end) await this.#anything();
  }

  /** Sends application data under the present keys. */
  async send(bytes: Uint8Array | string): Promise<void> {
    await this.record(
      CONTENT_TYPE.applicationData,
      typeof bytes === "string" ? utf8(bytes) : bytes,
    );
  }

  /** Sends a record of any type under the present keys. */
  async record(type: number, content: Uint8Array): Promise<void> {
    if (this.#client?.agreement) {
      await this.raw(this.#client.seal(type, content));
    }
  }

  /** Asks the server for a new key, and changes ours. */
  async updateKeys(): Promise<void> {
    this.#client?.updateKeys(true);
    await this.flush();
  }

  /** Ends our side of TLS. */
  async closeNotify(): Promise<void> {
    this.#client?.closeNotify();
    await this.flush();
  }

  /** Ends our side of TCP. */
  async fin(): Promise<void> {
    await this.#tcp.closeWrite().catch(() => {});
  }

  /** Writes what TLS has to say. */
  async flush(): Promise<void> {
    const bytes = this.#client!.takeOutput();
    if (bytes.length > 0) await this.raw(bytes);
  }

  /** The sessions that the server has given. */
  takeSessions(): Session[] {
    return this.#client?.takeSessions(Date.now()) ?? [];
  }

  /** Waits until the server says nothing for `ms`, or has ended. */
  async quiet(ms: number = SILENCE_MS): Promise<void> {
    for (let silent = false; !silent && !this.#end;) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      silent = await Promise.race([
        this.#anything().then(() => false),
        new Promise<true>((resolve) => {
          timer = setTimeout(() => resolve(true), ms);
        }),
      ]);
      clearTimeout(timer);
    }
  }

  /** What the server did, once it says no more. */
  async finish(): Promise<string[]> {
    await this.quiet(LAST_SILENCE_MS);
    const lines = [...this.#lines, this.#end ?? "open"];
    if (this.#text) lines.splice(-1, 0, ...masked(this.#text));
    if (this.#frames.length > 0) lines.push(`rest ${this.#frames.length}`);
    return lines;
  }

  /** Drops the connection. */
  [Symbol.dispose](): void {
    try {
      this.#tcp.close();
    } catch { // it is closed
    }
    this.#client?.[Symbol.dispose]();
    void this.#reading;
  }

  #anything(): Promise<void> {
    return this.#heard.promise;
  }

  async #readAll(): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      let length;
      while ((length = await this.#tcp.read(buffer)) !== null) {
        this.#input = concat(this.#input, buffer.subarray(0, length));
        while (await this.#takeRecord());
        this.#tell();
      }
      this.#end = "FIN";
    } catch {
      this.#end = "RST";
    }
    this.#tell();
  }

  #tell(): void {
    this.#heard.resolve();
    this.#heard = Promise.withResolvers();
  }

  async #takeRecord(): Promise<boolean> {
    const input = this.#input;
    if (input.length === 0) return false;
    if (input[0]! < 20 || input[0]! > 23) { // the server speaks no TLS
      this.#text += decodeLatin1(input);
      this.#input = new Uint8Array(0);
      return false;
    }
    if (input.length < 5) return false;
    const length = 5 + (input[3]! << 8 | input[4]!);
    if (input.length < length) return false;
    const record = input.slice(0, length);
    this.#input = input.slice(length);
    if (record[0] !== CONTENT_TYPE.applicationData) this.#note(plain(record));
    await this.#open(record);
    return true;
  }

  async #open(record: Uint8Array): Promise<void> {
    const client = this.#client;
    if (!client) return this.#noteSealed(record);
    let failure: unknown;
    try {
      client.receive(record);
      if (client.certificatesToJudge) client.accept();
    } catch (error) {
      failure = error;
    }
    const data = client.takeData();
    for (const bytes of data) this.#takeData(bytes, client.agreement!.alpn);
    if (failure instanceof TlsError && failure.code === "received_alert") {
      this.#note(`fatal alert ${failure.alert}`);
    } else if (failure) this.#note(`fault ${failure}`);
    else if (client.isPeerClosed) this.#note("close_notify");
    else if (data.length === 0) this.#noteSealed(record);
    await this.flush();
  }

  #takeData(bytes: Uint8Array, alpn: string | undefined): void {
    if (alpn !== "h2") {
      this.#text += decodeLatin1(bytes);
      return;
    }
    this.#frames = concat(this.#frames, bytes);
    let frame;
    try {
      while ((frame = decodeFrame(this.#frames))) {
        const { type, flags, streamId, payload } = frame;
        this.#frames = this.#frames.slice(FRAME_HEADER_LENGTH + payload.length);
        this.#note(
          `frame ${type} ${flags} ${streamId} ${this.#shown(frame)}`,
        );
      }
    } catch {
      this.#text += decodeLatin1(this.#frames);
      this.#frames = new Uint8Array(0);
    }
  }

  #shown(frame: NonNullable<ReturnType<typeof decodeFrame>>): string {
    const { type, flags, payload } = frame;
    if (type === FRAME_TYPE.data) return decodeLatin1(payload);
    if (type !== FRAME_TYPE.headers || !(flags & FLAG.endHeaders)) {
      return encodeHex(payload);
    }
    return this.#hpack.decode(decodeHeaders(frame).fragment)
      .map(([name, value]) => `${name}=${name === "date" ? "*" : value}`)
      .join(" ");
  }

  #noteSealed(record: Uint8Array): void {
    if (record[0] === CONTENT_TYPE.applicationData) {
      this.#note(`sealed ${record.length - 5}`);
    }
  }

  /** Behind what was said in HTTP/1.1 before. */
  #note(line: string): void {
    if (this.#text) this.#lines.push(...masked(this.#text));
    this.#text = "";
    this.#lines.push(line);
  }
}

/** A record in the clear, without what is random. */
function plain(record: Uint8Array): string {
  const version = encodeHex(record.subarray(1, 3));
  const content = record.subarray(5);
  if (record[0] !== CONTENT_TYPE.handshake) {
    return `record ${record[0]} ${version} ${encodeHex(content)}`;
  }
  if (content[0] !== 2) {
    return `message ${version} ${content[0]} ${content.length}`;
  }
  const hello = decodeServerHello(content);
  const kind = isHelloRetryRequest(hello) ? "retry" : "hello";
  const extensions = (hello.extensions ?? []).map(({ type, data }) =>
    `${type}:${encodeHex(data.subarray(0, 4))}/${data.length}`
  );
  return [
    ...[kind, version, hello.legacyVersion.toString(16)],
    ...[hello.sessionId.length, hello.cipherSuite.toString(16)],
    ...extensions,
  ].join(" ");
}

function masked(text: string): string[] {
  return text.replace(/^date: [^\r]*/gim, "date: *").split("\r\n");
}

function decodeLatin1(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}

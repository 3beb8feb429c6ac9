import { DecodeError, decodeHex } from "../../src/core/bytes/mod.ts";
import * as utls from "../../src/utls/mod.ts";
import { CliError } from "../_error.ts";
import type { Context } from "../_main.ts";

/** A hello to look at, and where it was found. */
export type NamedHello =
  & (
    | { readonly from: "client"; readonly hello: utls.ClientHello }
    | { readonly from: "server"; readonly hello: utls.ServerHello }
  )
  & {
    /** File, and packet, line or place in it. */
    readonly where: string;
    /** What carried it. */
    readonly transport: "tcp" | "quic";
  };

/** The start of an HTTP/2 connection, and where it was found. */
export interface NamedHttp2 {
  /** `"http2"`. */
  readonly from: "http2";
  /** File and line or place in it. */
  readonly where: string;
  /** The first bytes a client sent. */
  readonly bytes: Uint8Array;
}

/** Anything with a fingerprint. */
export type Specimen = NamedHello | NamedHttp2;

const MAX_INPUT_BYTES = 1 << 30;
const MAX_JSON_DEPTH = 32;

/** What the usage of commands that read hellos says about their operands. */
export const INPUTS =
  `Files are pcap or pcapng captures, JSON, or text with one hello a line in hexadecimal, as a TLS record or a handshake
message; without a file, or for -, stdin is read.`;

/** Members of JSON objects that hold bytes in hexadecimal. */
const JSON_KEYS = ["record", "message", "client_hello", "raw"];

/**
 * Every specimen in the files that the operands name, or in stdin.
 *
 * @throws {CliError} `failed` if a file holds none or cannot be read.
 */
export async function readSpecimens(context: Context): Promise<Specimen[]> {
  const paths = context.operands.length > 0 ? context.operands : ["-"];
  const found: Specimen[] = [];
  for (const path of paths) {
    const bytes = await read(path, context);
    const name = path === "-" ? "stdin" : path;
    const specimens = utls.isCapture(bytes)
      ? inCapture(bytes, name, context)
      : inText(bytes, name);
    if (specimens.length === 0) {
      throw new CliError("failed", `No hello in ${name}`, {
        hint:
          "Want pcap, pcapng, JSON, or a hello a line in hexadecimal; in a capture, the start of a connection.",
      });
    }
    for (const specimen of specimens) found.push(specimen);
  }
  return found;
}

/** The ClientHellos and ServerHellos among what {@link readSpecimens} finds. */
export async function readHellos(context: Context): Promise<NamedHello[]> {
  const specimens = await readSpecimens(context);
  return specimens.filter((each) => each.from !== "http2");
}

/** One line that says what a specimen is. */
export function heading(specimen: Specimen): string {
  const { from, where } = specimen;
  if (from === "http2") return `${where}: start of HTTP/2`;
  if (from === "server") {
    return `${where}: ServerHello over ${specimen.transport}`;
  }
  const name = utls.explainClientHello(specimen.hello)
    .find(({ name }) => name === "serverName")?.value;
  const host = name === undefined ? "" : ` for ${name}`;
  return `${where}: ClientHello${host} over ${specimen.transport}`;
}

async function read(path: string, { stdin }: Context): Promise<Uint8Array> {
  if (path === "-") return await new Response(limited(stdin)).bytes();
  try {
    const { size } = await Deno.stat(path);
    if (size > MAX_INPUT_BYTES) throw tooLong();
    return await Deno.readFile(path);
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new CliError("failed", `Cannot read ${path}`, { cause });
  }
}

function limited(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let length = 0;
  return stream.pipeThrough(
    new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform(chunk, controller) {
        length += chunk.length;
        if (length > MAX_INPUT_BYTES) throw tooLong();
        controller.enqueue(chunk);
      },
    }),
  );
}

function tooLong(): CliError {
  return new CliError("failed", "Input is longer than 1 GiB");
}

function inCapture(
  bytes: Uint8Array,
  name: string,
  { note }: Context,
): NamedHello[] {
  const hellos = utls.hellosIn(bytes);
  const found = Array.from(hellos, (hello): NamedHello => ({
    ...hello,
    where: `${name}, packet ${hello.packet}`,
  }));
  for (const [reason, count] of hellos.drops) {
    note(`${name}: ${count} not read: ${reason}`);
  }
  return found;
}

function inText(bytes: Uint8Array, name: string): Specimen[] {
  const text = new TextDecoder().decode(bytes);
  const lines = text.split(/\r?\n/);
  if (!/^\s*[{[]/.test(text)) return lines.flatMap(line(name, inHex));
  const whole = parseJson(text);
  return whole === undefined
    ? lines.flatMap(line(name, (each, where) => inJson(parseJson(each), where)))
    : inJson(whole, name);
}

/** Reads each line that is not empty with `read`. */
function line(
  name: string,
  read: (line: string, where: string) => Specimen[],
): (line: string, index: number) => Specimen[] {
  return (text, index) =>
    text.trim() === "" ? [] : read(text, `${name}, line ${index + 1}`);
}

function inJson(value: unknown, where: string, depth = 0): Specimen[] {
  if (typeof value !== "object" || value === null) return [];
  if (depth > MAX_JSON_DEPTH) {
    throw new CliError("failed", `JSON of ${where} is nested too deep`);
  }
  return Object.entries(value).flatMap(([key, member]) => {
    const place = `${where}.${key}`;
    return JSON_KEYS.includes(key) && typeof member === "string"
      ? inHex(member, place)
      : inJson(member, place, depth + 1);
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function inHex(text: string, where: string): Specimen[] {
  try {
    const bytes = decodeHex(text.replace(/[\s:]/g, ""));
    if (bytes[0] === 0x50) return [{ from: "http2", where, bytes }]; // the P of PRI * HTTP/2.0
    const message = utls.firstHello(bytes);
    const at = { where, transport: "tcp" } as const;
    return message[0] === utls.CLIENT_HELLO
      ? [{ ...at, from: "client", hello: utls.decodeClientHello(message) }]
      : [{ ...at, from: "server", hello: utls.decodeServerHello(message) }];
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause;
    throw new CliError("failed", `No hello in ${where}`, { cause });
  }
}

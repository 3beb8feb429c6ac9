import { DecodeError, decodeHex } from "../../src/core/bytes/mod.ts";
import * as utls from "../../src/utls/mod.ts";
import { CliError } from "../_error.ts";
import type { Context } from "../_main.ts";
import { readInput } from "../_read_input.ts";

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

const MAX_JSON_DEPTH = 32;

/** What the usage of commands that read hellos says about their operands. */
export const INPUTS =
  `Files are pcap or pcapng captures, JSON, or text with one hello a line in hexadecimal, as a TLS record or a handshake
message; without a file, or for -, stdin is read.`;

/** Members of JSON objects that hold bytes in hexadecimal. */
const JSON_KEYS = ["record", "message", "client_hello", "raw"];

/**
 * Every specimen in the files that the operands name, or in stdin, as they are found: those before the place where a capture is
 * damaged come too. What is no specimen where one is expected is noted and left out.
 *
 * @throws {CliError} `failed` if a file holds none or cannot be read.
 * @throws {DecodeError} If a capture is damaged.
 */
export async function* readSpecimens(
  context: Context,
): AsyncGenerator<Specimen> {
  const paths = context.operands.length > 0 ? context.operands : ["-"];
  for (const path of paths) {
    const bytes = await readInput(path, context);
    const name = path === "-" ? "stdin" : path;
    const specimens = utls.isCapture(bytes)
      ? inCapture(bytes, name, context)
      : inText(bytes, name, context);
    let found = 0;
    for (const specimen of specimens) {
      found++;
      yield specimen;
    }
    if (found > 0) continue;
    throw new CliError("failed", `No hello in ${name}`, {
      hint:
        "Want pcap, pcapng, JSON, or a hello a line in hexadecimal; in a capture, the start of a connection.",
    });
  }
}

/** The ClientHellos and ServerHellos among what {@link readSpecimens} finds. */
export async function* readHellos(
  context: Context,
): AsyncGenerator<NamedHello> {
  for await (const each of readSpecimens(context)) {
    if (each.from !== "http2") yield each;
  }
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

function* inCapture(
  bytes: Uint8Array,
  name: string,
  { note }: Context,
): Generator<NamedHello> {
  const hellos = utls.hellosIn(bytes);
  try {
    for (const hello of hellos) {
      yield { ...hello, where: `${name}, packet ${hello.packet}` };
    }
  } finally {
    for (const [reason, count] of hellos.drops) {
      note(`${name}: ${count} not read: ${reason}`);
    }
  }
}

function* inText(
  bytes: Uint8Array,
  name: string,
  context: Context,
): Generator<Specimen> {
  const text = new TextDecoder().decode(bytes);
  const isJson = /^\s*[{[]/.test(text);
  const whole = isJson ? parseJson(text) : undefined;
  if (whole !== undefined) return yield* inJson(whole, name, context);
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "") continue;
    const where = `${name}, line ${at + 1}`;
    const value = isJson ? parseJson(line) : undefined;
    if (isJson && value === undefined) context.note(`${where}: not JSON`);
    else if (isJson) yield* inJson(value, where, context);
    else yield* inHex(line, where, context);
  }
}

function* inJson(
  value: unknown,
  where: string,
  context: Context,
  depth = 0,
): Generator<Specimen> {
  if (typeof value !== "object" || value === null) return;
  if (depth > MAX_JSON_DEPTH) {
    return context.note(`${where}: not read: nested too deep`);
  }
  for (const [key, member] of Object.entries(value)) {
    const place = `${where}.${key}`;
    yield* JSON_KEYS.includes(key) && typeof member === "string"
      ? inHex(member, place, context)
      : inJson(member, place, context, depth + 1);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function* inHex(
  text: string,
  where: string,
  { note }: Context,
): Generator<Specimen> {
  try {
    yield specimenOf(decodeHex(text.replace(/[\s:]/g, "")), where);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    note(`${where}: no hello: ${error.message}`);
  }
}

function specimenOf(bytes: Uint8Array, where: string): Specimen {
  if (bytes[0] === 0x50) return { from: "http2", where, bytes }; // the P of PRI * HTTP/2.0
  const message = utls.firstHello(bytes);
  const at = { where, transport: "tcp" } as const;
  return message[0] === utls.CLIENT_HELLO
    ? { ...at, from: "client", hello: utls.decodeClientHello(message) }
    : { ...at, from: "server", hello: utls.decodeServerHello(message) };
}

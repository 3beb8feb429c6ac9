import { type Bytes, concat } from "../src/core/bytes/mod.ts";
import {
  decodeResponseHead,
  dialTcp,
  encodeRequestHead,
  fieldValue,
  type HttpFields,
  readHead,
  TransportError,
} from "../src/core/transport/mod.ts";
import { CliError } from "./_error.ts";
import type { Context } from "./_main.ts";

/** Where a program of this machine serves applications. */
export interface AppAddress {
  /** `host:port`. */
  readonly where: string;
  /** The token that they must bring; none if `undefined`. */
  readonly secret: string | undefined;
  /** What to do if nobody answers there. */
  readonly hint: string;
}

/** What a request is answered. */
export interface AppAnswer {
  /** Its status of HTTP. */
  readonly status: number;
  /** Its body. */
  readonly body: Uint8Array;
}

/** Asks an interface for applications: a POST if there is a body, else a GET. */
export type AskApp = (path: string, body?: Uint8Array) => Promise<AppAnswer>;

const MAX_ANSWER_BYTES = 2 ** 30;
const PART_BYTES = 65_536;
const LINE_FEED = 10;

/** That no node answers where it should. */
export function noNodeAt(
  { where, hint }: Pick<AppAddress, "where" | "hint">,
  cause?: unknown,
): CliError {
  return new CliError("failed", `No node answers at ${where}`, { cause, hint });
}

/** What asks the program at `address`, which runs on this machine. */
export function askApp(
  address: AppAddress,
  { signal }: Pick<Context, "signal">,
): AskApp {
  const { where, secret } = address;
  return async (path, body) => {
    try {
      await using connection = await dialTcp(`tcp://${where}`, { signal });
      await connection.write(concat(
        encodeRequestHead({
          method: body ? "POST" : "GET",
          target: path,
          fields: [
            ["host", where],
            ["connection", "close"],
            ...secret === undefined
              ? []
              : [["authorization", `Bearer ${secret}`]] as const,
            ...body ? [["content-length", `${body.length}`]] as const : [],
          ],
        }),
        body ?? new Uint8Array(0),
      ));
      const { head, leftover } = await readHead(connection, decodeResponseHead);
      const parts = [leftover];
      let length = leftover.length;
      const buffer = new Uint8Array(PART_BYTES);
      for (;;) {
        const count = await connection.read(buffer);
        if (count === null) break;
        length += count;
        if (length > MAX_ANSWER_BYTES) throw notWhole();
        parts.push(buffer.slice(0, count));
      }
      const answer = bodyOf(concat(...parts), head.fields);
      return { status: head.status, body: answer };
    } catch (cause) {
      if (!(cause instanceof TransportError)) throw cause;
      throw noNodeAt(address, cause);
    }
  };
}

/** The text of an answer of status 200. */
export function textOf(
  { status, body }: { readonly status: number; readonly body: Uint8Array },
): string {
  const text = new TextDecoder().decode(body).trim();
  if (status === 200) return text;
  throw new CliError("failed", `The node answered ${status}: ${text}`);
}

/** The body in what came behind the head. */
function bodyOf(bytes: Bytes, fields: HttpFields): Bytes {
  const coding = fieldValue(fields, "transfer-encoding");
  if (coding?.toLowerCase() === "chunked") return unchunked(bytes);
  const length = Number(fieldValue(fields, "content-length") ?? 0);
  if (bytes.length !== length) throw notWhole();
  return bytes;
}

/** The body of chunks (RFC 9112 §7.1) to the last. */
function unchunked(bytes: Bytes): Bytes {
  const chunks: Bytes[] = [];
  for (let at = 0;;) {
    const end = bytes.indexOf(LINE_FEED, at);
    const line = new TextDecoder().decode(
      bytes.subarray(at, Math.max(at, end)),
    );
    const [size] = /^[0-9a-f]{1,8}(?=[;\s]|$)/i.exec(line) ?? [];
    if (end < 0 || size === undefined) throw notWhole();
    const length = parseInt(size, 16);
    if (length === 0) return concat(...chunks);
    chunks.push(bytes.subarray(end + 1, end + 1 + length));
    at = end + 1 + length + 2;
    if (at > bytes.length) throw notWhole();
  }
}

function notWhole(): CliError {
  return new CliError("failed", "The node's answer is not whole");
}

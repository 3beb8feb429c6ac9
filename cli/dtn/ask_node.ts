import { type Bytes, concat } from "../../src/core/bytes/mod.ts";
import {
  decodeResponseHead,
  dialTcp,
  encodeRequestHead,
  fieldValue,
  type HttpFields,
  readHead,
  TransportError,
} from "../../src/core/transport/mod.ts";
import { type Bundle, decodeBundle, QUIRKS } from "../../src/dtn/mod.ts";
import { CliError } from "../_error.ts";
import type { Context } from "../_main.ts";
import type { DtnConfig } from "./config.ts";
import { dtnState, secretIn } from "./settings.ts";

/** Asks the REST interface of the node that `config` describes. */
export type AskNode = (
  path: string,
  body?: Uint8Array,
) => Promise<{
  readonly status: number;
  readonly body: Uint8Array;
}>;

const NOTHING_TO_RECEIVE = "Nothing to receive";
const MAX_ANSWER_BYTES = 2 ** 30;
const PART_BYTES = 65_536;
const LINE_FEED = 10;

/** Where applications reach the node of `config`, `host:port`, and the token that they must bring. */
export function appAt(
  config: DtnConfig,
  context: Context,
): { readonly where: string; readonly secret: string | undefined } {
  const { host, port, token } = config.app;
  const secret = token === "none"
    ? undefined
    : secretIn(dtnState(config, context), "app.token");
  const name = host.includes(":") ? `[${host}]` : host;
  return { where: `${name}:${port}`, secret };
}

/** That no node answers at `where`. */
export function noNodeAt(where: string, cause?: unknown): CliError {
  return new CliError("failed", `No node answers at ${where}`, {
    cause,
    hint: "betanet-dtn node runs one; --app-port says where it is.",
  });
}

/** What asks the node of `config`, which runs on this machine. */
export function askNode(config: DtnConfig, context: Context): AskNode {
  const { where, secret } = appAt(config, context);
  return async (path, body) => {
    const { signal } = context;
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
      throw noNodeAt(where, cause);
    }
  };
}

/** Takes the next bundle of an endpoint; `undefined` if there is none. */
export async function takeBundle(
  ask: AskNode,
  endpoint: string,
): Promise<Bundle | undefined> {
  const answer = await ask(`/endpoint?${encodeURIComponent(endpoint)}`);
  // dtn7-rs does not say of what type it is.
  if (textOf(answer) === NOTHING_TO_RECEIVE) return undefined;
  // The node has judged it.
  return decodeBundle(answer.body, { quirks: QUIRKS });
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

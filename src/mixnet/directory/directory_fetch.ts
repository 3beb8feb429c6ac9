import { type Bytes, concat, DecodeError } from "../../core/bytes/mod.ts";
import {
  type Address,
  type Connection,
  decodeResponseHead,
  encodeRequestHead,
  fieldValue,
  parseAddress,
  readHead,
  TransportError,
} from "../../core/transport/mod.ts";
import { DirectoryError } from "./error.ts";

/** A request to a directory. */
export interface DirectoryRequest {
  /** Of the directory. */
  readonly address: Address;
  /** What is asked for, such as `/document/500000`. */
  readonly path: string;
  /** What is handed in; without it the request is a GET. */
  readonly body?: Uint8Array;
  /** Longest answer that is read. */
  readonly maxBytes: number;
}

/** What a directory answered. */
export interface DirectoryAnswer {
  /** Of HTTP. */
  readonly status: number;
  /** At most as many bytes as were asked for. */
  readonly body: Bytes;
}

/**
 * Asks a directory.
 *
 * @throws {DirectoryError} `unreachable`, or `malformed` if the answer is not HTTP or longer than it may be.
 */
export type DirectoryFetch = (
  request: DirectoryRequest,
  signal: AbortSignal,
) => Promise<DirectoryAnswer>;

/** Asks over connections that `dial` makes: HTTP/1.1, one request on each. */
export function directoryFetch(
  dial: (address: Address, signal: AbortSignal) => Promise<Connection>,
): DirectoryFetch {
  return async (request, signal) => {
    try {
      signal.throwIfAborted();
      await using connection = await dial(request.address, signal);
      const onAbort = () => connection.close();
      signal.addEventListener("abort", onAbort, { once: true });
      try {
        if (signal.aborted) onAbort();
        await connection.write(requestBytes(request));
        return await readAnswer(connection, request.maxBytes);
      } finally {
        signal.removeEventListener("abort", onAbort);
      }
    } catch (cause) {
      if (cause instanceof DirectoryError) throw cause;
      if (cause instanceof DecodeError) {
        throw new DirectoryError("malformed", "Want HTTP", { cause });
      }
      if (!(cause instanceof TransportError) && !signal.aborted) throw cause;
      throw new DirectoryError("unreachable", "No answer", { cause });
    }
  };
}

function requestBytes({ address, path, body }: DirectoryRequest): Bytes {
  const { hostname, port } = parseAddress(address);
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  return concat(
    encodeRequestHead({
      method: body ? "POST" : "GET",
      target: path,
      fields: [
        ["host", `${host}:${port}`],
        ["connection", "close"],
        ...(body
          ? [
            ["content-type", "application/octet-stream"],
            ["content-length", String(body.length)],
          ] as const
          : []),
      ],
    }),
    body ?? new Uint8Array(0),
  );
}

async function readAnswer(
  connection: Connection,
  maxBytes: number,
): Promise<DirectoryAnswer> {
  const { head, leftover } = await readHead(connection, decodeResponseHead);
  if (head.status === 204) {
    return { status: head.status, body: new Uint8Array(0) };
  }
  const text = fieldValue(head.fields, "content-length") ?? "";
  const length = /^[0-9]{1,9}$/.test(text) ? Number(text) : NaN;
  if (!(length <= maxBytes) || leftover.length > length) {
    throw new DirectoryError(
      "malformed",
      `Want an answer of at most ${maxBytes} bytes that says its length`,
    );
  }
  const body = new Uint8Array(length);
  body.set(leftover);
  for (let filled = leftover.length; filled < length;) {
    const count = await connection.read(body.subarray(filled));
    if (count === null) {
      throw new TransportError("reset", "The answer ended early");
    }
    filled += count;
  }
  return { status: head.status, body };
}

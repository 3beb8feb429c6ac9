import { Deadline, systemClock } from "../src/core/async/mod.ts";
import {
  type Address,
  type Connection,
  decodeResponseHead,
  dial,
  encodeRequestHead,
  fieldValue,
  readHead,
} from "../src/core/transport/mod.ts";
import { CliError } from "./_error.ts";

/** What {@link httpGet} may be told. */
export interface HttpGetOptions {
  /** The HTTP proxy to ask, a `tcp:` address; without it the host of the URL. */
  readonly proxy?: Address;
  /** Ends the transfer. */
  readonly signal: AbortSignal;
}

/** A server that sends nothing for so long is given up. */
const STALL_MS = 30_000;

const BUFFER_BYTES = 128 * 1024;

/**
 * The body at `url`, as it comes; each part is gone when the next is asked for.
 *
 * It is not `fetch`, which goes around the proxy it is given, or through another, as NO_PROXY and HTTP_PROXY say.
 *
 * @throws {CliError} `failed` if the answer is none with status 200 and a length, or ends early.
 */
export async function* httpGet(
  url: string,
  { proxy, signal }: HttpGetOptions,
): AsyncGenerator<Uint8Array, void> {
  const { host, pathname } = new URL(url);
  await using connection = await dial(proxy ?? `tcp://${host}`, { signal });
  await connection.write(encodeRequestHead({
    method: "GET",
    target: proxy ? url : pathname,
    fields: [["Host", host], ["Connection", "close"]],
  }));
  const read = (buffer: Uint8Array) => readPart(connection, buffer, signal);
  const { head, leftover } = await readHead({ read }, decodeResponseHead);
  const length = Number(fieldValue(head.fields, "Content-Length") ?? NaN);
  if (head.status !== 200 || !Number.isSafeInteger(length)) {
    throw new CliError("failed", `${url} is answered with ${head.status}`);
  }
  yield leftover;
  const buffer = new Uint8Array(BUFFER_BYTES);
  for (let left = length - leftover.length; left > 0;) {
    const count = await read(buffer.subarray(0, Math.min(left, BUFFER_BYTES)));
    if (count === null) {
      throw new CliError("failed", `${url} ends ${left} bytes too early`);
    }
    left -= count;
    yield buffer.subarray(0, count);
  }
}

async function readPart(
  connection: Connection,
  buffer: Uint8Array,
  signal: AbortSignal,
): Promise<number | null> {
  using deadline = new Deadline(systemClock, STALL_MS, { signal });
  deadline.signal.throwIfAborted();
  deadline.signal.addEventListener("abort", () => connection.close());
  try {
    return await connection.read(buffer);
  } catch (error) {
    deadline.signal.throwIfAborted();
    throw error;
  }
}

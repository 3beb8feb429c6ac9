import { BeaconError } from "./error.ts";

/** What a source asks for. */
export interface BeaconRequest {
  /** `http:` or `https:`. */
  readonly url: string;
  /** JSON to POST; without it the request is a GET. */
  readonly body?: string;
  /** Longest body to read; of a longer one the fetch throws. */
  readonly maxBytes: number;
}

/** What came. */
export interface BeaconAnswer {
  /** Of HTTP. */
  readonly status: number;
  /** Its bytes, with any content coding undone. */
  readonly body: Uint8Array;
}

/** Does one HTTP request; throws if there is no answer. */
export type BeaconFetch = (
  request: BeaconRequest,
  signal: AbortSignal,
) => Promise<BeaconAnswer>;

/** What a server says of a round that is not out, or that it does not have: Not Found, Too Early. */
const NOT_THERE: readonly number[] = [404, 425];

/**
 * The JSON that answers `request`; `undefined` if what it asks for is not there.
 *
 * @throws {BeaconError} `unreachable`, `refused` or `malformed`.
 */
export async function fetchJson(
  beaconFetch: BeaconFetch,
  request: BeaconRequest,
  signal: AbortSignal,
): Promise<unknown> {
  const text = await fetchText(beaconFetch, request, signal);
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    throw new BeaconError("malformed", "The answer is no JSON");
  }
}

/**
 * The text that answers `request`; `undefined` if what it asks for is not there.
 *
 * @throws {BeaconError} `unreachable`, `refused` or `malformed`.
 */
export async function fetchText(
  beaconFetch: BeaconFetch,
  request: BeaconRequest,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { status, body } = await answerOf(beaconFetch, request, signal);
  if (NOT_THERE.includes(status)) return undefined;
  if (status !== 200) {
    throw new BeaconError("refused", `Answered with status ${status}`);
  }
  if (body.length > request.maxBytes) {
    throw new BeaconError("malformed", `More than ${request.maxBytes} bytes`);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    throw new BeaconError("malformed", "The answer is no UTF-8");
  }
}

async function answerOf(
  beaconFetch: BeaconFetch,
  request: BeaconRequest,
  signal: AbortSignal,
): Promise<BeaconAnswer> {
  try {
    return await beaconFetch(request, signal);
  } catch (cause) {
    throw new BeaconError("unreachable", "No answer", { cause });
  }
}

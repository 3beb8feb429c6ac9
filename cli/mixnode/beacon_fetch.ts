import type { beacon } from "../../src/mixnet/mod.ts";

/**
 * One request by `fetch`, for the sources of a beacon; it follows no redirection.
 *
 * @throws {RangeError} If the body is longer than it may be, of which no more is read.
 */
export async function beaconFetch(
  { url, body, maxBytes }: beacon.BeaconRequest,
  signal: AbortSignal,
): Promise<beacon.BeaconAnswer> {
  const response = await fetch(url, {
    signal,
    redirect: "error",
    ...(body !== undefined && {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    }),
  });
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > maxBytes) {
      throw new RangeError(`The answer is longer than ${maxBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return {
    status: response.status,
    body: await new Blob(chunks).bytes(),
  };
}

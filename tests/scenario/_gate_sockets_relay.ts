/**
 * A worker that carries bytes between a client and its gateway, and writes down when they came: on a thread of its own, so that nobody
 * else's work shows.
 *
 * @module
 */
import type { LinkWrite } from "./_link_trace.ts";

/** What the program says: where to carry bytes to, or that it wants what was seen. */
export type ToRelay = { readonly port: number } | "end";

/** What the relay says: where it listens, or what it saw. */
export type FromRelay =
  | { readonly port: number }
  | { readonly up: readonly LinkWrite[]; readonly down: readonly LinkWrite[] };

const scope = self as unknown as {
  onmessage: (event: MessageEvent<ToRelay>) => void;
  postMessage(message: FromRelay): void;
};
const seen: Record<"up" | "down", LinkWrite[]> = { up: [], down: [] };

async function carry(
  from: Deno.TcpConn,
  to: Deno.TcpConn,
  writes: LinkWrite[],
): Promise<void> {
  const buffer = new Uint8Array(65_536);
  for (;;) {
    const length = await from.read(buffer).catch(() => null);
    if (length === null) return to.close();
    const bytes = buffer.slice(0, length);
    writes.push({ atMs: performance.now(), bytes });
    for (let at = 0; at < length;) at += await to.write(bytes.subarray(at));
  }
}

scope.onmessage = async ({ data }) => {
  if (data === "end") return scope.postMessage(seen);
  const hostname = "127.0.0.1";
  const listener = Deno.listen({ hostname, port: 0 });
  scope.postMessage({ port: listener.addr.port });
  for await (const client of listener) {
    const gateway = await Deno.connect({ hostname, port: data.port });
    client.setNoDelay();
    gateway.setNoDelay();
    void carry(client, gateway, seen.up).catch(() => {});
    void carry(gateway, client, seen.down).catch(() => {});
  }
};

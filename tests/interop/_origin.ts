import { sha256 } from "../cli/_htx_process.ts";

/** A web server that knows what it sent and got. */
export interface Origin extends AsyncDisposable {
  /** Its `127.0.0.1:port`. */
  readonly at: string;
  /** `http://` and that. */
  readonly url: string;
  /** Every request: method and path. */
  readonly requests: readonly string[];
}

/**
 * - `GET /bytes` answers `body`.
 * - `GET /endless` never ends.
 * - `GET /page/N` answers N.
 * - `PUT /hash` answers the length and SHA-256 of what it was sent.
 */
export function serveOrigin(body: Uint8Array<ArrayBuffer>): Origin {
  const requests: string[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      requests.push(`${request.method} ${pathname}`);
      if (pathname === "/bytes") return new Response(body);
      if (pathname === "/endless") return new Response(endless());
      if (pathname === "/hash") {
        const sent = await request.bytes();
        return new Response(`${sent.length} ${await sha256(sent)}`);
      }
      return new Response(pathname.split("/").at(-1)!);
    },
  );
  const at = `127.0.0.1:${server.addr.port}`;
  return {
    at,
    url: `http://${at}`,
    requests,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** `length` bytes that no part of a tunnel could make up. */
export function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  }
  return bytes;
}

function endless(): ReadableStream<Uint8Array<ArrayBuffer>> {
  const chunk = new Uint8Array(65_536);
  return new ReadableStream({ pull: (to) => to.enqueue(chunk) });
}

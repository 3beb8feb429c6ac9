/** A web server on loopback whose `/held` sends half of its answer and waits. */
export interface HeldOrigin extends AsyncDisposable {
  /** Its `127.0.0.1:port`. */
  readonly at: string;
  /** `http://` and that. */
  readonly url: string;
  /** Lets the held answers end. */
  release(): void;
}

/** What `/held` answers in the end; `/` answers `origin`. */
export const HELD_TEXT = "first half, second half";

/** Starts it. */
export function serveHeld(): HeldOrigin {
  const released = Promise.withResolvers<void>();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      if (new URL(request.url).pathname !== "/held") {
        return new Response("origin");
      }
      const halves = async function* () {
        yield HELD_TEXT.slice(0, 10);
        await released.promise;
        yield HELD_TEXT.slice(10);
      };
      return new Response(
        ReadableStream.from(halves()).pipeThrough(new TextEncoderStream()),
      );
    },
  );
  const at = `127.0.0.1:${server.addr.port}`;
  return {
    at,
    url: `http://${at}`,
    release: () => released.resolve(),
    async [Symbol.asyncDispose]() {
      released.resolve();
      await server.shutdown();
    },
  };
}

/** A client of the HTTP proxy at `host:port`. */
export function throughProxy(
  at: string,
  credentials?: { readonly username: string; readonly password: string },
): Deno.HttpClient {
  return Deno.createHttpClient({
    proxy: {
      url: `http://${at}`,
      ...(credentials && { basicAuth: credentials }),
    },
  });
}

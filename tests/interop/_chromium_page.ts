import { assert } from "@std/assert";
import { makeFolder } from "../cli/_htx_process.ts";

/** Runs the bundle, and tells what goes wrong in it. */
const PAGE = `<!doctype html>
<script>
const tell = (text) => fetch("/error", { method: "POST", body: text });
addEventListener("error", ({ message }) => tell(message));
addEventListener("unhandledrejection", ({ reason }) => tell(String(reason)));
</script>
<script type="module" src="/page.js" onerror="tell('it cannot load /page.js')"></script>
`;

/** What the script `entry`, beside this file, posts to `/result` for `given` at `/case`, in a headless Chromium that loads it from here. */
export async function inChromium<T>(entry: string, given: object): Promise<T> {
  const script = await bundle(entry);
  const { promise: opening, resolve: opened } = Promise.withResolvers<number>();
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  await using _server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: ({ port }) => opened(port) },
    async (request) => {
      switch (new URL(request.url).pathname) {
        case "/":
          return as("text/html", PAGE);
        case "/page.js":
          return as("text/javascript", script);
        case "/case":
          return Response.json(given);
        case "/result":
          resolve(await request.json());
          return new Response();
        case "/error":
          reject(new Error(await request.text()));
          return new Response();
        default:
          return new Response(null, { status: 404 });
      }
    },
  );
  await using profile = await makeFolder();
  const child = new Deno.Command("chromium", {
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--remote-debugging-port=0", // so that it stays when the page is loaded
      `--user-data-dir=${profile.path}`,
      `http://127.0.0.1:${await opening}/`,
    ],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  // Its children hold this open too: they write to the profile until they end.
  const silent = child.stderr.pipeTo(new WritableStream());
  const signal = AbortSignal.timeout(60_000);
  signal.addEventListener("abort", () => reject(signal.reason));
  const ended = child.status.then(({ code }) =>
    reject(new Error(`Chromium ended with ${code} before the page was done`))
  );
  try {
    return await promise;
  } finally {
    try {
      child.kill();
    } catch { // it has ended
    }
    await Promise.all([ended, silent]);
  }
}

async function bundle(entry: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "bundle",
      "--quiet",
      "--frozen",
      "--platform=browser",
      new URL(entry, import.meta.url).pathname,
    ],
  }).output();
  const decoder = new TextDecoder();
  assert(success, decoder.decode(stderr));
  return decoder.decode(stdout);
}

function as(type: string, body: string): Response {
  return new Response(body, { headers: { "content-type": type } });
}

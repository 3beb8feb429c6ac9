import { assertEquals } from "@std/assert";
import { nodeProvider } from "../../../src/core/crypto/mod.ts";
import { memoryStore } from "../../../src/core/storage/mod.ts";
import { serveHttp } from "../../../src/core/transport/mod.ts";
import { restApp } from "../../../src/dtn/app/rest_app.ts";
import { DtnNode } from "../../../src/dtn/node/dtn_node.ts";
import { staticRouter } from "../../../src/dtn/routing/static_router.ts";
import { BundleStore } from "../../../src/dtn/store/bundle_store.ts";
import { eid, text } from "../node/_dtn_world.ts";

/** A client that keeps what it hears. */
class Client implements Disposable {
  readonly #socket: WebSocket;
  readonly #heard: string[] = [];
  #wake = () => {};
  readonly opened: Promise<void>;
  readonly closed: Promise<CloseEvent>;

  constructor(url: string) {
    this.#socket = new WebSocket(url);
    this.#socket.binaryType = "arraybuffer";
    this.#socket.onmessage = ({ data }) => {
      this.#heard.push(
        typeof data === "string" ? data : new TextDecoder().decode(data),
      );
      this.#wake();
    };
    this.#socket.onerror = (event) => event.preventDefault();
    this.opened = new Promise((resolve) => {
      this.#socket.onopen = () => resolve();
    });
    this.closed = new Promise((resolve) => this.#socket.onclose = resolve);
  }

  async say(text: string): Promise<string> {
    await this.opened;
    this.#socket.send(text);
    return await this.hear();
  }

  async hear(): Promise<string> {
    while (this.#heard.length === 0) await this.#news();
    return this.#heard.shift()!;
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }

  #news(): Promise<void> {
    return new Promise((resolve) => this.#wake = resolve);
  }
}

/** A node whose applications are served until `over` aborts. */
function serve() {
  const stack = new AsyncDisposableStack();
  const store = stack.use(
    new BundleStore({ store: memoryStore(), crypto: nodeProvider }),
  );
  const node = stack.use(
    new DtnNode({
      ...{ nodeId: eid("dtn://a/"), store, router: staticRouter([]) },
      random: () => 0.5,
    }),
  );
  const over = new AbortController();
  const { signal } = over;
  const server = stack.use(
    serveHttp(restApp({ node, store, token: "secret", signal }), {
      hostname: "127.0.0.1",
      port: 0,
    }),
  );
  const url = `${server.address.replace("http", "ws")}/ws`;
  return {
    ...{ node, store, over, url },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

Deno.test("over a socket that dropped nothing is lost, and the node closes those that are open", async () => {
  await using made = serve();
  const { node, store, url, over } = made;
  const destination = eid("dtn://a/in");
  const id = await node.send({ destination, payload: text("hello") });
  for (const acknowledges of [false, true]) {
    using client = new Client(url);
    assertEquals(await client.say("/token secret"), "200 authorized");
    await client.say("/acks");
    assertEquals(await client.say("/subscribe in"), "200 subscribed");
    assertEquals(JSON.parse(await client.hear()).bid, id);
    if (!acknowledges) continue;
    assertEquals(await client.say(`/ack ${id}`), `200 acknowledged ${id}`);
  }
  assertEquals(node.counts.delivered, 1);
  assertEquals(store.usage.bundles, 0);
  using open = new Client(url);
  await open.say("/token secret");
  over.abort();
  const { code, reason } = await open.closed;
  assertEquals([code, reason], [1000, "The node closes"]);
});

Deno.test("who has not said the token can hold eight sockets at most", async () => {
  await using made = serve();
  using silent = new DisposableStack();
  const clients = Array.from(
    { length: 8 },
    () => silent.use(new Client(made.url)),
  );
  for (const each of clients) await each.opened;
  using refused = new Client(made.url);
  await refused.closed;
  assertEquals(await clients[0]!.say("/token secret"), "200 authorized");
  using next = new Client(made.url);
  assertEquals(await next.say("/token secret"), "200 authorized");
  made.over.abort();
  await Promise.all(clients.map(({ closed }) => closed));
});

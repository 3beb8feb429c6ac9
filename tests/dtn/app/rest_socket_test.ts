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
    this.#socket.onopen = () => this.#wake();
    this.closed = new Promise((resolve) => this.#socket.onclose = resolve);
  }

  async say(text: string): Promise<string> {
    while (this.#socket.readyState !== this.#socket.OPEN) await this.#news();
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

Deno.test("over a socket that dropped nothing is lost, and the node closes those that are open", async () => {
  using store = new BundleStore({
    store: memoryStore(),
    crypto: nodeProvider,
  });
  await using node = new DtnNode({
    ...{ nodeId: eid("dtn://a/"), store, router: staticRouter([]) },
    random: () => 0.5,
  });
  const over = new AbortController();
  const { signal } = over;
  await using server = serveHttp(
    restApp({ node, store, token: "secret", signal }),
    { hostname: "127.0.0.1", port: 0 },
  );
  const url = `${server.address.replace("http", "ws")}/ws`;
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

import { VirtualClock } from "../../../src/core/async/mod.ts";
import { nodeProvider } from "../../../src/core/crypto/mod.ts";
import { memoryStore, type Store } from "../../../src/core/storage/mod.ts";
import { MemoryNetwork } from "../../../src/core/transport/mod.ts";
import { payloadOf } from "../../../src/dtn/bundle/bundle.ts";
import { Eid } from "../../../src/dtn/bundle/eid.ts";
import { DtnNode } from "../../../src/dtn/node/dtn_node.ts";
import type { DtnNodeOptions } from "../../../src/dtn/node/dtn_node_options.ts";
import type { Registration } from "../../../src/dtn/node/registration.ts";
import { epidemicRouter } from "../../../src/dtn/routing/epidemic_router.ts";
import { BundleStore } from "../../../src/dtn/store/bundle_store.ts";
import { TcpclLayer } from "../../../src/dtn/tcpcl/tcpcl_layer.ts";

/** Nodes that speak TCPCL over sockets and with time that are made up. */
export class DtnWorld implements AsyncDisposable {
  readonly clock = new VirtualClock();
  readonly network = new MemoryNetwork({
    clock: this.clock,
    random: () => 0.5,
    latencyMs: 1,
  });
  readonly nodes: DtnNode[] = [];

  /** Starts a node that listens at its name; `store` is what of it outlives its process. */
  async node(
    name: string,
    options: Partial<DtnNodeOptions> = {},
    kept: Store = memoryStore(),
  ): Promise<
    DtnNode & { readonly layer: TcpclLayer; readonly bundles: BundleStore }
  > {
    const nodeId = Eid.parse(`dtn://${name}/`);
    const { clock } = this;
    const store = options.store ??
      new BundleStore({ store: kept, crypto: nodeProvider, clock });
    const node = new DtnNode({
      nodeId,
      store,
      clock,
      router: epidemicRouter({
        crypto: nodeProvider,
        *known() {
          for (const { id } of store.entries()) yield id;
        },
      }),
      random: () => 0.5,
      allowsPlaintext: () => true,
      ...options,
    });
    const layer = new TcpclLayer({
      nodeId: `${nodeId}`,
      transport: this.network.transport(name),
      clock,
    });
    node.serve(await layer.listen(`memory://${name}`));
    this.nodes.push(node);
    return Object.assign(node, { layer, bundles: store });
  }

  /** Takes every bundle of an endpoint, and keeps the texts of their payloads. */
  texts(registration: Registration): string[] {
    const texts: string[] = [];
    void (async () => {
      for await (const { bundle, accept } of registration) {
        texts.push(new TextDecoder().decode(payloadOf(bundle)));
        accept();
      }
    })();
    return texts;
  }

  /** Moves time until `done`, a minute at most. */
  async until(done: () => boolean): Promise<void> {
    for (let i = 0; i < 600 && !done(); i++) await this.clock.run(100);
    if (!done()) throw new Error("Not done after a minute");
  }

  /** Moves time until `work` is done. */
  async settle<T>(work: Promise<T>): Promise<T> {
    let isOver = false;
    work.finally(() => isOver = true).catch(() => {});
    await this.until(() => isOver);
    return await work;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.settle(
      Promise.all(this.nodes.map((node) => node[Symbol.asyncDispose]())),
    );
  }
}

/** UTF-8 of `value`. */
export function text(value: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(value);
}

/** The endpoint ID that `value` writes. */
export function eid(value: string): Eid {
  return Eid.parse(value);
}

/**
 * A whole mixnet in one process, of the real parts: documents of authorities, nodes with their links, mailboxes, clients with
 * routes by VRF. Only sockets and time are made up.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { VirtualClock } from "../../src/core/async/mod.ts";
import type { Bytes } from "../../src/core/bytes/mod.ts";
import {
  type CryptoProvider,
  generateX25519,
  nodeProvider,
  Secret,
} from "../../src/core/crypto/mod.ts";
import { silentLogger } from "../../src/core/log/mod.ts";
import { memoryStore, type Store } from "../../src/core/storage/mod.ts";
import { MemoryNetwork } from "../../src/core/transport/mod.ts";
import {
  beaconSet,
  DirectoryRoutes,
  DocumentHistory,
  EpochKeys,
  joinDocument,
  makeDocument,
  MixClient,
  type NetworkParameters,
  type ProvableRoute,
  RouteDrawer,
  signDescriptor,
  signDocument,
  sphinxGeometry,
  verifyRouteProof,
} from "../../src/mixnet/mod.ts";
import { dialLink } from "../../src/mixnet/link/dial_link.ts";
import { MixServer } from "../../src/mixnet/node/mix_server.ts";
import { LocalUnwrapPool } from "../../src/mixnet/node/unwrap_pool.ts";
import { imbalance } from "../mixnet/node/_node_network.ts";
import { seededCrypto, seededRandom } from "../mixnet/client/_mix_world.ts";

const PARAMETERS: NetworkParameters = {
  network: "scenario",
  epochSeconds: 60,
  payloadLength: 1_700,
  layers: 3,
  meanDelayMs: 50,
  maxDelayMs: 1_000,
  clientPacketsPer1000S: 4_000,
  clientLoopsPer1000S: 400,
  nodeLoopsPer1000S: 200,
};
const GEOMETRY = sphinxGeometry(PARAMETERS.payloadLength);
const EPOCH_MS = PARAMETERS.epochSeconds * 1_000;
const AUTHORITIES = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte));

/** What of a node outlives its process. */
interface Machine {
  readonly name: string;
  readonly seed: Bytes;
  readonly linkKeys: ReturnType<typeof generateX25519>;
  readonly store: Store;
  keys: EpochKeys;
  server?: MixServer;
}

class World {
  readonly clock = new VirtualClock();
  readonly crypto: CryptoProvider = seededCrypto(9);
  readonly random = seededRandom(9);
  readonly network = new MemoryNetwork({
    clock: this.clock,
    random: this.random,
    latencyMs: 2,
  });
  readonly directory = new DocumentHistory({
    crypto: nodeProvider,
    network: PARAMETERS.network,
    authorities: AUTHORITIES.map((seed) =>
      nodeProvider.ed25519.publicKey(seed)
    ),
    threshold: 2,
  });
  readonly machines: readonly Machine[];
  readonly routes: { route: ProvableRoute; beacon: Uint8Array }[] = [];

  constructor() {
    this.machines = ["east", "west", "m1", "m2", "m3", "m4", "m5", "m6"]
      .map((name): Machine => {
        const store = memoryStore();
        return {
          name,
          seed: this.crypto.random(32),
          linkKeys: generateX25519(this.crypto),
          store,
          keys: new EpochKeys({ crypto: this.crypto, store }),
        };
      });
  }

  get epoch(): number {
    return Math.floor(this.clock.wallTime() / EPOCH_MS);
  }

  /** Starts every node, after the documents of this epoch and the next are published. */
  async start(): Promise<void> {
    for (const { keys } of this.machines) keys.advance(this.epoch);
    this.publish(this.epoch);
    this.publish(this.epoch + 1);
    for (const machine of this.machines) await this.boot(machine);
  }

  /** Two of three authorities sign the document of `epoch` over what the nodes say of themselves. */
  publish(epoch: number): void {
    const descriptors = this.machines.map((machine) =>
      signDescriptor(nodeProvider, machine.seed, {
        identityKey: nodeProvider.ed25519.publicKey(machine.seed),
        network: PARAMETERS.network,
        role: isGateway(machine) ? "gateway" : "mix",
        addresses: [`memory://${machine.name}`],
        linkKey: machine.linkKeys.publicKey,
        sphinxKeys: machine.keys.publicKeys,
        asn: 64_496 + this.machines.indexOf(machine),
        sequence: epoch,
        expiresMs: (epoch + 3) * EPOCH_MS,
      })
    );
    const drand = nodeProvider.hash("sha256", Uint8Array.of(epoch));
    const payload = makeDocument(nodeProvider, {
      parameters: PARAMETERS,
      epoch,
      beacon: beaconSet(epoch, new Map([["drand", drand]])),
      previousHash: this.directory.document(epoch - 1)?.hash ??
        new Uint8Array(0),
      descriptors,
    });
    const signed = joinDocument(
      payload,
      AUTHORITIES.slice(1).map((seed) =>
        [
          nodeProvider.ed25519.publicKey(seed),
          signDocument(nodeProvider, seed, payload),
        ] as const
      ),
    );
    this.directory.add(signed, this.clock.wallTime());
  }

  async boot(machine: Machine): Promise<void> {
    const { name, linkKeys, store, keys } = machine;
    const { clock, crypto, random, directory } = this;
    const transport = this.network.transport(name);
    machine.server = new MixServer({
      crypto,
      clock,
      random,
      directory,
      keys,
      store,
      id: this.idOf(machine),
      linkKeyPair: linkKeys,
      parameters: PARAMETERS,
      isGateway: isGateway(machine),
      pool: new LocalUnwrapPool(crypto),
      listeners: [await transport.listen(`memory://${name}`)],
      dial: (address, signal) => transport.dial(address, { signal }),
      log: silentLogger,
    });
  }

  /** Ends the node as a crash does, but for its store, and starts it again. */
  async reboot(machine: Machine): Promise<void> {
    await this.settle(machine.server![Symbol.asyncDispose]());
    this.assertBalanced(machine);
    machine.keys = new EpochKeys({ crypto: this.crypto, store: machine.store });
    await this.boot(machine);
  }

  client(gateway: Machine, name: string): MixClient {
    const { clock, crypto, directory } = this;
    const [link, seal] = [generateX25519(crypto), generateX25519(crypto)];
    const transport = this.network.transport(name);
    return new MixClient({
      crypto,
      clock,
      geometry: GEOMETRY,
      random: this.random,
      address: {
        gatewayId: this.idOf(gateway),
        clientId: link.publicKey,
        sealKey: seal.publicKey,
      },
      sealKeyPair: seal,
      routes: new DirectoryRoutes({
        directory,
        epochSeconds: PARAMETERS.epochSeconds,
        drawer: new RouteDrawer({
          crypto,
          seed: new Secret(crypto.random(32)),
        }),
        onRoute: (route, beacon) => this.routes.push({ route, beacon }),
      }),
      dial: async (signal) =>
        await dialLink(
          await transport.dial(`memory://${gateway.name}`, { signal }),
          {
            crypto,
            clock,
            signal,
            network: PARAMETERS.network,
            packetLength: GEOMETRY.packetLength,
            staticKeyPair: link,
            remoteStaticKey: gateway.linkKeys.publicKey,
          },
        ),
      packetsPerSecond: PARAMETERS.clientPacketsPer1000S / 1_000,
      loopsPerSecond: PARAMETERS.clientLoopsPer1000S / 1_000,
    });
  }

  /** Moves time, publishing documents as epochs go, until `done` or two minutes have gone. */
  async runUntil(done: () => boolean): Promise<void> {
    for (let i = 0; i < 480 && !done(); i++) {
      await this.clock.run(250);
      if (!this.directory.document(this.epoch + 1)) {
        this.publish(this.epoch + 1);
      }
    }
    assert(done(), "not done after two minutes");
  }

  idOf({ seed }: Machine): Bytes {
    return nodeProvider.ed25519.publicKey(seed);
  }

  assertBalanced({ name, server }: Machine): void {
    const { counts } = server!.node;
    assertEquals(imbalance(counts), 0, `${name} ${JSON.stringify(counts)}`);
  }

  async close(): Promise<void> {
    await this.settle(Promise.all(
      this.machines.map(({ server }) => server![Symbol.asyncDispose]()),
    ));
  }

  /** Moves time until `work` is done. */
  async settle(work: Promise<unknown>): Promise<void> {
    let isOver = false;
    work.finally(() => isOver = true).catch(() => {});
    await this.runUntil(() => isOver);
    await work;
  }
}

const isGateway = ({ name }: Machine) => name === "east" || name === "west";

Deno.test("messages and anonymous replies cross a mixnet once each, while epochs pass and nodes restart", async () => {
  const world = new World();
  await world.start();
  const [east, west] = world.machines;
  const alice = world.client(east!, "alice");
  const bob = world.client(west!, "bob");
  const got: string[] = [];
  const reading = (async () => {
    for await (const message of bob) {
      const text = new TextDecoder().decode(message.bytes);
      got.push(text);
      message.taken();
      message.reply?.(new TextEncoder().encode(`${text}, seen`)).catch(
        () => {},
      );
    }
  })();

  const wanted = Array.from({ length: 8 }, (_, i) => `letter ${i}`);
  const replies: string[] = [];
  let sent = 0;
  const start = world.epoch;
  const encode = (text: string) => new TextEncoder().encode(text);
  const sending = wanted.map((text, i) =>
    i % 2 === 0
      ? alice.send(bob.address, encode(text)).then(() => sent++)
      : alice.request(bob.address, encode(text)).then((reply) =>
        replies.push(new TextDecoder().decode(reply))
      )
  );
  await world.runUntil(() => got.length >= 2);
  await world.reboot(world.machines[3]!);
  await world.runUntil(() => sent + replies.length === wanted.length);
  await world.runUntil(() => world.epoch > start);
  const late = alice.request(bob.address, encode("after midnight"))
    .then((reply) => replies.push(new TextDecoder().decode(reply)));
  await world.runUntil(() => replies.length === 5);
  await Promise.all([...sending, late]);

  assertEquals(got.sort(), ["after midnight", ...wanted].sort());
  assertEquals(
    replies.sort(),
    ["after midnight", ...wanted.filter((_, i) => i % 2)]
      .map((text) => `${text}, seen`).sort(),
  );
  for (const machine of world.machines) world.assertBalanced(machine);
  for (const { server } of world.machines) {
    const { dropped } = server!.node.counts;
    assertEquals([dropped.mac, dropped.replayed, dropped.undeliverable], [
      0,
      0,
      0,
    ]);
  }
  const mixes = world.machines.slice(2);
  assert(mixes.every(({ server }) => server!.node.entropy.bits >= 0));
  assert(mixes.some(({ server }) => server!.node.counts.loopsReturned > 0));

  await world.settle(Promise.all([alice.close(), bob.close(), reading]));
  await world.close();
});

Deno.test("the route and delays of a packet in the mixnet are proved by its sender, and by nobody for another", async () => {
  const world = new World();
  await world.start();
  const alice = world.client(world.machines[0]!, "alice");
  await world.runUntil(() => world.routes.length >= 20);
  await world.settle(alice.close());
  const drawer = new RouteDrawer({
    crypto: nodeProvider,
    seed: new Secret(new Uint8Array(32).fill(5)),
  });
  const document = world.directory.document(world.epoch)!;
  const [from, to] = document.nodes.filter(({ layer }) => layer === 0)
    .map(({ identityKey }) => identityKey);
  const plan = {
    nodes: document.nodes,
    epoch: document.epoch,
    from: from!,
    to: to!,
    mode: "strict",
    meanDelayMs: PARAMETERS.meanDelayMs,
    maxDelayMs: PARAMETERS.maxDelayMs,
  } as const;
  const { value } = document.beacon;
  const route = drawer.draw(value, plan)!;
  const proof = drawer.prove(value, route);
  const { hops, delaysMs } = route;
  assertEquals(verifyRouteProof(nodeProvider, proof, value, plan), {
    hops,
    delaysMs,
  });
  assertEquals(
    verifyRouteProof(
      nodeProvider,
      { ...proof, ...world.routes[0]!.route.origin },
      value,
      plan,
    ),
    undefined,
  );
  await world.close();
});

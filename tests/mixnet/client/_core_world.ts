import { type Bytes, equal } from "../../../src/core/bytes/mod.ts";
import {
  type CryptoProvider,
  generateX25519,
  type X25519KeyPair,
} from "../../../src/core/crypto/mod.ts";
import { memoryStore, type Store } from "../../../src/core/storage/mod.ts";
import { ClientCore } from "../../../src/mixnet/client/client_core.ts";
import type { ClientEvent } from "../../../src/mixnet/client/client_event.ts";
import {
  CLIENT_LIMITS,
  type ClientLimits,
} from "../../../src/mixnet/client/client_limits.ts";
import {
  decodeForwardContent,
  NOBODY,
} from "../../../src/mixnet/client/forward_content.ts";
import type { MixAddress } from "../../../src/mixnet/client/mix_address.ts";
import type {
  Instant,
  MixRoute,
  RouteSource,
} from "../../../src/mixnet/client/route_source.ts";
import { REGULAR } from "../../../src/mixnet/sphinx/geometry.ts";
import { unwrapPacket } from "../../../src/mixnet/sphinx/packet.ts";
import { recoverMessage } from "../../../src/mixnet/sphinx/payload.ts";
import { replyPacket } from "../../../src/mixnet/sphinx/surb.ts";

const EPOCH_SECONDS = 3_600;

/** What a gateway brings to its client. */
export interface Brought {
  readonly identifier: Uint8Array;
  readonly payload: Bytes;
}

interface Node {
  readonly id: Bytes;
  readonly keys: X25519KeyPair;
}

/** A client's core, and a gateway of its own that a test commands. */
export interface CoreClient {
  core: ClientCore;
  readonly store: Store;
  readonly address: MixAddress;
  /** Everything that its gateway brought so far. */
  readonly brought: Brought[];
  /** What its gateway does with what comes; brings it by default. */
  bring: (brought: Brought) => void;
  /** What happened since the last call. */
  events(): ClientEvent[];
  /** Ends the core and starts another one on the store. */
  restart(): void;
}

/**
 * Client cores, a gateway for each and one mix, without IO, time and Deno: packets are unwrapped for real, and are where they go at
 * once. It runs in a browser too.
 */
export class CoreWorld implements RouteSource {
  readonly crypto: CryptoProvider;
  /** Clients by the id of their gateway. */
  readonly #clients = new Map<string, CoreClient>();
  readonly #nodes = new Map<string, Node>();
  readonly #mix: Node;
  /** Gateways without a route, by their id in hex. */
  readonly cut = new Set<string>();
  /** Packets for nobody that ended at each gateway, by its id in hex. */
  readonly cover = new Map<string, { message: number; reply: number }>();
  /** Packets that each node took, by address in hex. */
  packets = 0;
  #nowMs = 0;

  constructor(crypto: CryptoProvider) {
    this.crypto = crypto;
    this.#mix = this.#node();
  }

  /** The time. */
  get at(): Instant {
    return { nowMs: this.#nowMs, wallMs: 1_800_000_000_000 + this.#nowMs };
  }

  /** A client with a gateway of its own. */
  client(limits: Partial<ClientLimits> = {}): CoreClient {
    const { id: gatewayId } = this.#node();
    const [link, seal] = [
      generateX25519(this.crypto),
      generateX25519(this.crypto),
    ];
    const address = {
      gatewayId,
      clientId: link.publicKey,
      sealKey: seal.publicKey,
    };
    const store = memoryStore();
    const start = () =>
      new ClientCore({
        crypto: this.crypto,
        geometry: REGULAR,
        address,
        sealKeyPair: seal,
        routes: this,
        store,
        limits: { ...CLIENT_LIMITS, ...limits },
      }, this.at);
    const client: CoreClient = {
      core: start(),
      store,
      address,
      brought: [],
      bring: ({ identifier, payload }) => {
        client.core.receive(identifier, payload, this.at);
      },
      events: () => client.core.takeEvents(),
      restart: () => client.core = start(),
    };
    this.#clients.set(gatewayId.toHex(), client);
    return client;
  }

  /** Lets `ms` pass, in which every client sends `packets` packets. */
  step(packets = 1, ms = 100): void {
    for (let i = 0; i < packets; i++) {
      for (const { core } of this.#clients.values()) this.send(core);
    }
    this.pass(ms);
  }

  /** Lets one client send a packet, and one that may be a reply. */
  send(core: ClientCore): Bytes[] {
    const sent: Bytes[] = [];
    for (const slot of ["message", "reply"] as const) {
      const made = core.next(slot, this.at);
      if (!made) continue;
      sent.push(made.packet);
      this.#travel(made.packet, made.epoch);
    }
    return sent;
  }

  /** Lets `ms` pass without a packet. */
  pass(ms: number): void {
    this.#nowMs += ms;
    for (const { core } of this.#clients.values()) core.tick(this.at);
  }

  gateways(): Uint8Array[] {
    return [...this.#clients.values()].map(({ address }) => address.gatewayId);
  }

  route(
    wallMs: number,
    from: Uint8Array,
    to: Uint8Array,
  ): MixRoute | undefined {
    if (this.cut.has(from.toHex()) || this.cut.has(to.toHex())) {
      return undefined;
    }
    const path = [
      this.#nodes.get(from.toHex())!,
      this.#mix,
      this.#nodes.get(to.toHex())!,
    ];
    return {
      epoch: this.#epoch(wallMs),
      hops: path.map(({ id, keys }) => ({
        address: id,
        publicKey: keys.publicKey,
        delayNs: 0,
      })),
      delaysMs: 0,
    };
  }

  usableUntilMs(epoch: number): number {
    return (epoch + 2) * EPOCH_SECONDS * 1_000;
  }

  #epoch(wallMs: number): number {
    return Math.floor(wallMs / 1_000 / EPOCH_SECONDS);
  }

  #node(): Node {
    const node = {
      id: this.crypto.random(32),
      keys: generateX25519(this.crypto),
    };
    this.#nodes.set(node.id.toHex(), node);
    return node;
  }

  #travel(packet: Bytes, epoch: number): void {
    // A packet enters where its sender is, or where the SURB begins: whoever can unwrap it.
    for (const node of this.#nodes.values()) {
      let here = node;
      let next = packet;
      for (;;) {
        let hop;
        try {
          const key = here.keys.privateKey.expose();
          hop = unwrapPacket(this.crypto, REGULAR, key, next);
        } catch {
          break;
        }
        this.packets++;
        if (hop.kind === "final") return this.#arrive(here, epoch, hop);
        next = hop.packet;
        here = this.#nodes.get(hop.nextAddress.toHex())!;
      }
    }
  }

  #arrive(
    gateway: Node,
    epoch: number,
    { destination, identifier, payload }: Brought & { destination: Bytes },
  ): void {
    const client = this.#clients.get(gateway.id.toHex())!;
    const isCover = equal(destination, NOBODY);
    const isReply = identifier.some((byte) => byte !== 0);
    if (isCover) this.#cover(gateway, isReply ? "reply" : "message");
    if (isCover && isReply) return;
    if (isReply) {
      return this.#bring(client, { identifier, payload });
    }
    const content = decodeForwardContent(REGULAR, recoverMessage(payload));
    const padded = new Uint8Array(REGULAR.payloadLength);
    padded.set(content.sealed);
    if (!isCover) this.#bring(client, { identifier, payload: padded });
    const { ackSurb } = content;
    const ack = replyPacket(
      this.crypto,
      REGULAR,
      ackSurb,
      new Uint8Array(0),
    );
    this.#travel(ack.packet, epoch);
  }

  #cover(gateway: Node, slot: "message" | "reply"): void {
    const id = gateway.id.toHex();
    const counts = this.cover.get(id) ?? { message: 0, reply: 0 };
    counts[slot]++;
    this.cover.set(id, counts);
  }

  #bring(client: CoreClient, brought: Brought): void {
    client.brought.push(brought);
    client.bring(brought);
  }
}

import {
  type Address,
  dial,
  listen,
  selfSigned,
  TransportError,
} from "../../src/core/transport/mod.ts";
import { generateX25519, nodeProvider } from "../../src/core/crypto/mod.ts";
import { memoryStore } from "../../src/core/storage/mod.ts";
import {
  HtxLayer,
  type HtxLayerOptions,
  type SessionListener,
} from "../../src/betanet_cla/htx_layer.ts";
import { dialHtx } from "../../src/htx/client.ts";
import { Decoy } from "../../src/htx/decoy.ts";
import { Gate } from "../../src/htx/gate.ts";
import { ReplayMemory } from "../../src/htx/replay.ts";
import { HtxServer } from "../../src/htx/server.ts";
import type { Session } from "../../src/htx/session.ts";
import { makeTicketKey, TicketKeyRing } from "../../src/htx/ticket_key_ring.ts";
import { DEFAULT_TICKET_POLICY } from "../../src/htx/ticket_policy.ts";
import { TokenBuckets } from "../../src/htx/token_bucket.ts";

/** Where a {@link QuicWorld} listens. */
export const QUIC_SERVER = "quic://127.0.0.1:0";

const CERTIFICATE = await selfSigned({
  names: ["localhost"],
  validityMs: 10 * 86_400_000,
});

/** Layers whose sessions run over QUIC on the loopback. */
export class QuicWorld {
  /** Sessions that were dialled. */
  readonly dialled: Session[] = [];
  readonly #ticketKey = makeTicketKey(nodeProvider, 0, Infinity);
  readonly #staticKeyPair = generateX25519(nodeProvider);

  /** A layer that dials and listens here. */
  layer(options: Partial<HtxLayerOptions> = {}): HtxLayer {
    return new HtxLayer({
      nodeId: "dtn://near/",
      dial: (address, { signal }) => this.#dial(address, signal),
      listen: () => this.#listen(),
      ...options,
    });
  }

  async #dial(address: Address, signal: AbortSignal): Promise<Session> {
    const session = await dialHtx({
      ...{ address, signal },
      staticKey: this.#staticKeyPair.publicKey,
      offer: { ...this.#ticketKey, policy: DEFAULT_TICKET_POLICY, cookieName },
      dial: (to, options) =>
        dial(to, {
          ...options,
          quic: { caCerts: [CERTIFICATE.certPem], serverName: "localhost" },
        }),
    });
    this.dialled.push(session);
    return session;
  }

  async #listen(): Promise<SessionListener> {
    const listener = await listen(QUIC_SERVER, {
      quic: { certificate: CERTIFICATE },
    });
    const server = new HtxServer([listener], {
      staticKeyPair: this.#staticKeyPair,
      cookieName,
      gate: new Gate({
        crypto: nodeProvider,
        keys: new TicketKeyRing([this.#ticketKey]),
        replay: new ReplayMemory({ store: memoryStore(), nowMs: 0 }),
        buckets: new TokenBuckets({ capacity: 1e6 }),
      }),
      decoy: new Decoy({
        dial: () => Promise.reject(new TransportError("unreachable", "None")),
      }),
    });
    return {
      address: listener.address,
      [Symbol.asyncIterator]: () => server[Symbol.asyncIterator](),
      close: () => server.stop(),
    };
  }
}

const cookieName = "__Host-sid";

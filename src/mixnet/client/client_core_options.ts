import type { Bytes } from "../../core/bytes/mod.ts";
import type { CryptoProvider, X25519KeyPair } from "../../core/crypto/mod.ts";
import type { Store } from "../../core/storage/mod.ts";
import type { SphinxGeometry } from "../sphinx/geometry.ts";
import type { ClientLimits } from "./client_limits.ts";
import type { MixAddress } from "./mix_address.ts";
import type { OutboxItem } from "./outbox.ts";
import type { Request } from "./requests.ts";
import type { RouteSource } from "./route_source.ts";

/** Parts of a {@link ClientCore}. */
export interface ClientCoreOptions {
  /** Cryptography; all chance comes from it. */
  readonly crypto: CryptoProvider;
  /** Sizes of the network's packets. */
  readonly geometry: SphinxGeometry;
  /** Where we get messages. */
  readonly address: MixAddress;
  /** Opens what is sealed to us; `address.sealKey` is its public key. */
  readonly sealKeyPair: X25519KeyPair;
  /** Routes. */
  readonly routes: RouteSource;
  /** Keeps what came and is not taken, ids of what was, and what is to be sent. */
  readonly store: Store;
  /** Bounds. */
  readonly limits: ClientLimits;
}

/** How {@link ClientCore.send} is to send. */
export interface CoreSendOptions {
  /** How long it may take until all is acknowledged, or answered, in milliseconds. */
  readonly deadlineMs: number;
  /** Whether to ask for a reply. */
  readonly wantsReply?: boolean;
}

/** What a SURB brings back. */
export type Meaning =
  | {
    readonly kind: "ack";
    /** Of a loop: none. */
    readonly item: OutboxItem | undefined;
    readonly sentMs: number;
    readonly delaysMs: number;
  }
  | {
    readonly kind: "reply";
    readonly request: Request;
    readonly key: Bytes;
    readonly sentMs: number;
    readonly delaysMs: number;
  };

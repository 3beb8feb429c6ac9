import {
  type Clock,
  Deadline,
  type WaitOptions,
} from "../../src/core/async/mod.ts";
import { encodeHex } from "../../src/core/bytes/mod.ts";
import type {
  CryptoProvider,
  X25519KeyPair,
} from "../../src/core/crypto/mod.ts";
import type { Logger } from "../../src/core/log/mod.ts";
import { type AgentNode, FabricError } from "../../src/fabric/mod.ts";
import { htx } from "../../mod.ts";
import { PROXY_DEFAULTS } from "../htx/proxy_config.ts";
import { Route } from "../htx/route.ts";
import type { FabricHtxConfig } from "./htx_config.ts";

/** Options of {@link NodeRoutes}. */
export interface NodeRoutesOptions {
  /** How to go. */
  readonly config: FabricHtxConfig;
  /** By which others know us: the node's static key. */
  readonly keyPair: X25519KeyPair;
  /** Primitives. */
  readonly crypto: CryptoProvider;
  /** Told of what routes do. */
  readonly log: Logger;
  /** Time. */
  readonly clock: Clock;
}

/** Of the nodes dialed last, for which what was learnt is kept. */
const MAX_ROUTES = 256;
const DIAL_MS = 10_000;

/** The ways to nodes of agents, by the HTX records in agents' records. */
export class NodeRoutes implements Disposable {
  readonly #options: NodeRoutesOptions;
  /** By the digest of the record: another one is another way. */
  readonly #routes = new Map<string, Route>();

  /** Knows no way yet. */
  constructor(options: NodeRoutesOptions) {
    this.#options = options;
  }

  /**
   * Opens a session with a node.
   *
   * @throws {FabricError} `unreachable` if it has no record that holds, or another static key than that record names.
   * @throws What dialing throws.
   */
  async dial(node: AgentNode, { signal }: WaitOptions): Promise<htx.Session> {
    const route = this.#to(node);
    using deadline = new Deadline(this.#options.clock, DIAL_MS, {
      ...signal && { signal },
    });
    return await route.dial({ signal: deadline.signal, timeoutMs: DIAL_MS });
  }

  /** Forgets what was learnt. */
  [Symbol.dispose](): void {
    for (const route of this.#routes.values()) route[Symbol.dispose]();
    this.#routes.clear();
  }

  #to(node: AgentNode): Route {
    const { config, crypto, log, keyPair } = this.#options;
    const { htx: bytes } = node;
    if (!bytes) throw unreachable("The node takes no sessions");
    const record = this.#recordIn(bytes);
    if (encodeHex(record.staticKey) !== encodeHex(node.staticKey)) {
      throw unreachable("The node's HTX record is of another key");
    }
    const key = encodeHex(crypto.hash("sha256", bytes));
    const known = this.#routes.get(key);
    this.#routes.delete(key);
    const { carrier, roots, session } = config;
    const route = known ?? new Route({
      ...{ record, keyPair, crypto, log },
      config: { ...PROXY_DEFAULTS, carrier, roots, session },
    });
    this.#routes.set(key, route);
    if (this.#routes.size > MAX_ROUTES) this.#forgetOldest();
    return route;
  }

  #recordIn(bytes: Uint8Array): htx.PeerRecord {
    const { crypto, clock } = this.#options;
    try {
      const wallTimeMs = clock.wallTime();
      return htx.verifyPeerRecord(crypto, bytes, { wallTimeMs });
    } catch (cause) {
      throw unreachable("The node's HTX record does not hold", cause);
    }
  }

  #forgetOldest(): void {
    const [[key, route]] = [...this.#routes] as [[string, Route]];
    this.#routes.delete(key);
    route[Symbol.dispose]();
  }
}

function unreachable(text: string, cause?: unknown): FabricError {
  return new FabricError("unreachable", text, { cause });
}

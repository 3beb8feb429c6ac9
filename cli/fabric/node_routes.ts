import {
  type Clock,
  Deadline,
  type WaitOptions,
} from "../../src/core/async/mod.ts";
import { encodeHex } from "../../src/core/bytes/mod.ts";
import type { CryptoProvider } from "../../src/core/crypto/mod.ts";
import { type AgentNode, FabricError } from "../../src/fabric/mod.ts";
import { htx } from "../../mod.ts";
import type { Route } from "../htx/route.ts";
import { Routes, type RoutesParts } from "../htx/routes.ts";

/** Parts of {@link NodeRoutes}. */
export interface NodeRoutesParts extends RoutesParts {
  /** Time. */
  readonly clock: Clock;
}

const DIAL_MS = 10_000;

/** The ways to nodes of agents, by the HTX records in agents' records. */
export class NodeRoutes implements Disposable {
  readonly #routes: Routes;
  readonly #crypto: CryptoProvider;
  readonly #clock: Clock;

  /** Knows no way yet. */
  constructor({ clock, ...parts }: NodeRoutesParts) {
    this.#routes = new Routes(parts);
    this.#crypto = parts.crypto;
    this.#clock = clock;
  }

  /**
   * Opens a session with a node.
   *
   * @throws {FabricError} `unreachable` if it has no record that holds, or another static key than that record names.
   * @throws What dialing throws.
   */
  async dial(node: AgentNode, { signal }: WaitOptions): Promise<htx.Session> {
    const route = this.#to(node);
    using deadline = new Deadline(this.#clock, DIAL_MS, {
      ...signal && { signal },
    });
    return await route.dial({ signal: deadline.signal, timeoutMs: DIAL_MS });
  }

  /** Forgets what was learnt. */
  [Symbol.dispose](): void {
    this.#routes[Symbol.dispose]();
  }

  #to({ htx: bytes, staticKey }: AgentNode): Route {
    if (!bytes) throw unreachable("The node takes no sessions");
    const record = this.#recordIn(bytes);
    if (encodeHex(record.staticKey) !== encodeHex(staticKey)) {
      throw unreachable("The node's HTX record is of another key");
    }
    // Nobody else can sign a record of this name.
    return this.#routes.to(encodeHex(record.publicKey), record);
  }

  #recordIn(bytes: Uint8Array): htx.PeerRecord {
    try {
      const wallTimeMs = this.#clock.wallTime();
      return htx.verifyPeerRecord(this.#crypto, bytes, { wallTimeMs });
    } catch (cause) {
      throw unreachable("The node's HTX record does not hold", cause);
    }
  }
}

function unreachable(text: string, cause?: unknown): FabricError {
  return new FabricError("unreachable", text, { cause });
}

import { type Clock, delay } from "../../core/async/mod.ts";
import { DecodeError } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import type { Logger } from "../../core/log/mod.ts";
import { type Delivery, payloadOf } from "../../dtn/mod.ts";
import { BoundedMap } from "../bounded_map.ts";
import { FabricError } from "../error.ts";
import type { BundleWay } from "../agent/delivery.ts";
import { type Route, SENDER } from "../agent/reception.ts";
import type { Agent } from "../identity/agent.ts";
import type { AgentBook } from "../identity/agent_book.ts";
import type { AgentId } from "../identity/agent_id.ts";
import { endpointOf } from "../identity/agent_name.ts";
import {
  type Message,
  MESSAGE_ID_LENGTH,
  PRIORITIES,
} from "../message/message.ts";
import { openMessage, sealMessage } from "../message/sealed_message.ts";
import type { BundlePort } from "./bundle_port.ts";

/** Parts of a {@link BundleBridge}. */
export interface BundleBridgeOptions {
  /** Whose messages these are. */
  readonly agent: Agent;
  /** Seals and opens. */
  readonly crypto: CryptoProvider;
  /** Where others are. */
  readonly book: AgentBook;
  /** Sends and receives bundles. */
  readonly port: BundlePort;
  /** The agent's own record now, signed. */
  readonly record: () => Uint8Array;
  /** Takes a message, whose sender is verified. */
  readonly onMessage: (message: Message, route: Route) => void;
  /** Where it says what failed. */
  readonly log: Logger;
  /** Time. */
  readonly clock: Clock;
}

/** What became of bundles. */
export interface BundleBridgeCounts {
  /** Bundles sent. */
  sent: number;
  /** Messages taken from bundles. */
  received: number;
  /** Bundles that do not open: malformed, sealed to another, changed. */
  unopened: number;
  /** Messages not taken from bundles, as their senders have as many waiting as they may: a sender without a receipt sends again. */
  full: number;
}

/** A class of service of bundles for each priority. */
const CLASSES = [0, 1, 2, 2] as const;
/** Pause before bundles for which there was no room are looked at again. */
const FULL_PAUSE_MS = 2_000;
const MIN_LIFETIME_MS = 1_000;
const MAX_SHOWN = 10_000;
/** Sealing takes a few hundred microseconds a message: so much of each turn of the event loop, so that nothing else waits for long. */
const SEALING_MS = 4;

/** Takes the messages of one agent to and from a node of bundles, signed by their senders and sealed to their recipients. */
export class BundleBridge implements BundleWay, AsyncDisposable {
  /** What it did so far. */
  readonly counts: BundleBridgeCounts = {
    ...{ sent: 0, received: 0, unopened: 0, full: 0 },
  };
  readonly #options: BundleBridgeOptions;
  /** Records of ours that were sent with a message, by agent. */
  readonly #shown = new BoundedMap<Uint8Array>(MAX_SHOWN);
  readonly #over = new AbortController();
  #turn: Promise<void> | undefined;
  #turnEndsMs = 0;
  readonly #receiving: Promise<void>;

  /**
   * Registers in the agent's endpoint, and receives at once.
   *
   * @throws {DtnNodeError} `registered` if another is.
   * @throws {RangeError} If the agent's name is of another node.
   */
  constructor(options: BundleBridgeOptions) {
    this.#options = options;
    const { port, agent, log } = options;
    const registration = port.register(endpointOf(agent.name));
    this.#over.signal.addEventListener(
      "abort",
      () => registration[Symbol.dispose](),
    );
    this.#receiving = this.#receiveAll(registration).catch((error) => {
      log.error("fabric.failed", { error });
    });
  }

  /** Whether an agent's record is known: without its key nothing can be sealed to it. */
  canSend(id: AgentId): boolean {
    return this.#options.book.get(id) !== undefined;
  }

  /**
   * Sends a message; resolves once the node has stored the bundle. A record of ours goes before it, if the agent was sent none yet.
   *
   * @throws {FabricError} `unknown_agent` if its record is not known; `full` if the node does not store the bundle.
   */
  async send(message: Message): Promise<void> {
    const record = this.#options.record();
    const key = `${message.to}`;
    if (this.#shown.get(key) !== record) {
      const { crypto } = this.#options;
      const { from, to, priority, createdMs, deadlineMs } = message;
      await this.#send({
        id: crypto.random(MESSAGE_ID_LENGTH),
        ...{ kind: "record", type: "record", from, to, priority },
        ...{ createdMs, deadlineMs, wantsReceipts: false },
        metadata: new Map(),
        payload: record,
      });
      this.#shown.set(key, record);
    }
    await this.#send(message);
  }

  /** Receives no more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    await this.#receiving;
  }

  async #send(message: Message): Promise<void> {
    const { agent, book, crypto, port, clock } = this.#options;
    const known = book.get(message.to);
    if (!known) {
      throw new FabricError("unknown_agent", "The agent's record is not known");
    }
    const { record } = known;
    while (clock.now() >= this.#turnEndsMs) await this.#nextTurn();
    const leftMs = message.deadlineMs - clock.wallTime();
    const payload = sealMessage(crypto, agent, record.sealKey, message);
    try {
      await port.send({
        source: endpointOf(agent.name),
        destination: endpointOf(record.name),
        payload,
        lifetimeMs: Math.max(MIN_LIFETIME_MS, leftMs),
        priority: CLASSES[PRIORITIES.indexOf(message.priority)]!,
      });
    } catch (cause) {
      throw new FabricError("full", "The bundle was not stored", { cause });
    }
    this.counts.sent++;
  }

  /** Resolves when messages may be sealed again. */
  #nextTurn(): Promise<void> {
    const { clock } = this.#options;
    return this.#turn ??= delay(clock, 0).then(() => {
      this.#turn = undefined;
      this.#turnEndsMs = clock.now() + SEALING_MS;
    });
  }

  async #receiveAll(deliveries: AsyncIterable<Delivery>): Promise<void> {
    for await (const delivery of deliveries) {
      const { bundle, accept } = delivery;
      let message: Message;
      try {
        const { crypto, agent } = this.#options;
        message = openMessage(crypto, agent, payloadOf(bundle));
      } catch (error) {
        if (!(error instanceof FabricError || error instanceof DecodeError)) {
          throw error;
        }
        this.counts.unopened++;
        accept();
        continue;
      }
      await this.#take(message, accept);
    }
  }

  /**
   * Takes a message once there is room: as long as there is none, bundles stay in the node. One whose sender alone has no room keeps
   * those of others not back: its bundle goes, and the message is sent again.
   */
  async #take(message: Message, accept: () => void): Promise<void> {
    const { clock, onMessage } = this.#options;
    const { signal } = this.#over;
    for (;;) {
      const { promise, resolve } = Promise.withResolvers<
        "taken" | "dropped" | "full"
      >();
      const onAbort = () => resolve("full");
      signal.addEventListener("abort", onAbort, { once: true });
      onMessage(message, {
        isLive: false,
        status: (code, reason) => {
          if (code !== "full") resolve("taken");
          else resolve(reason === SENDER ? "dropped" : "full");
        },
        answer: () => false,
      });
      const end = await promise;
      signal.removeEventListener("abort", onAbort);
      if (signal.aborted) return;
      if (end === "dropped") {
        this.counts.full++;
        return accept();
      }
      if (end === "taken") break;
      await delay(clock, FULL_PAUSE_MS, { signal }).catch(() => {});
    }
    this.counts.received++;
    accept();
  }
}

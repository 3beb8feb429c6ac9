import { systemClock } from "../../src/core/async/mod.ts";
import { type Bytes, concat } from "../../src/core/bytes/mod.ts";
import {
  nodeProvider as crypto,
  x25519KeyPair,
} from "../../src/core/crypto/mod.ts";
import { memoryStore } from "../../src/core/storage/mod.ts";
import type { Address } from "../../src/core/transport/mod.ts";
import {
  BundleStore,
  DtnNode,
  Eid,
  staticRouter,
  TcpclLayer,
} from "../../src/dtn/mod.ts";
import {
  type Agent,
  encodeMessage,
  endpointOf,
  type Message,
  sealMessage,
  signAgentRecord,
  verifyAgentRecord,
} from "../../src/fabric/mod.ts";
import { encodePayload } from "../../src/fabric/agent/payload.ts";
import {
  encodeFrame,
  encodeHello,
  type FrameType,
  type StatusCode,
} from "../../src/fabric/rpc/frame.ts";
import { openLink, type RpcLink } from "../../src/fabric/rpc/rpc_link.ts";
import { htx } from "../../mod.ts";
import { agentOf } from "../fabric/_agents.ts";
import { keysOf } from "./_fabric_keys.ts";

const NODE = "moor";
const DAY_MS = 86_400_000;
/** What its hellos say that it takes: as much as anybody sends. */
const ROOM = { maxMessages: 100_000, maxBytes: 2 ** 30 };

/** A session whose frames it writes itself. */
export interface RawLink {
  readonly session: htx.Session;
  /** Writes frames, or pieces of some, to the control stream. */
  write(bytes: Uint8Array): Promise<void>;
  /** Whether the other end has ended it. */
  readonly isOver: () => boolean;
}

/** Somebody with sessions and bundles for one node of a scenario, who keeps no rule. */
export class FabricAttacker implements AsyncDisposable {
  /** One of its agents, who is known to nobody. */
  readonly eve: Agent = agentOf(`eve@${NODE}`);
  /** What was said of its messages. */
  readonly statuses: Record<StatusCode | "answered", number> = {
    ...{ taken: 0, full: 0, refused: 0, handled: 0, answered: 0 },
  };
  /** Sessions that it opened. */
  sessions = 0;
  readonly #victim: Agent;
  #at: { readonly sessions: Address; readonly contacts: Address };
  readonly #bundles: DtnNode;
  readonly #held: htx.Session[] = [];

  /** Attacks `victim`, whose node is at these addresses. */
  constructor(victim: Agent, at: FabricAttacker["addresses"]) {
    this.#victim = victim;
    this.#at = at;
    this.#bundles = new DtnNode({
      nodeId: Eid.parse(`dtn://${NODE}/`),
      store: new BundleStore({
        ...{ crypto, store: memoryStore() },
        limits: { maxBundles: 100_000, maxBytes: 1e9 },
      }),
      router: staticRouter([]),
      random: Math.random,
      allowsPlaintext: () => true,
    });
    this.#contact();
  }

  /** Where its victim is. */
  get addresses(): { readonly sessions: Address; readonly contacts: Address } {
    return this.#at;
  }

  set addresses(at: FabricAttacker["addresses"]) {
    this.#at = at;
    this.#contact();
  }

  /** A message of `from`, Eve's by default, to its victim; its payload has the number `n`. */
  message(n: number, fields: Partial<Message> = {}): Message {
    const nowMs = Date.now();
    return {
      ...{ id: crypto.random(16), kind: "notify", type: "drum" },
      ...{ from: this.eve.id, to: this.#victim.id, priority: "critical" },
      ...{ createdMs: nowMs, deadlineMs: nowMs + DAY_MS },
      ...{ wantsReceipts: false, metadata: new Map() },
      payload: encodePayload(n),
      ...fields,
    };
  }

  /** The sealed envelope of a message, which `agent` signs. */
  envelope(message: Message, agent: Agent = this.eve): Bytes {
    const { publicKey } = this.#victim.sealKeyPair;
    return sealMessage(crypto, agent, publicKey, message);
  }

  /** Sends bytes in a bundle to its victim. */
  async bundle(payload: Uint8Array): Promise<void> {
    await this.#bundles.send({
      source: endpointOf(this.eve.name),
      destination: endpointOf(this.#victim.name),
      ...{ payload, lifetimeMs: DAY_MS, priority: 2 },
    });
  }

  /** A signed record of `agent`, whom `staticKey` speaks for. */
  record(agent: Agent, staticKey: Uint8Array, sequence = Date.now()): Bytes {
    const nowMs = Date.now();
    return signAgentRecord(agent, {
      nodes: [{ staticKey }],
      ...{ capabilities: [], sequence, issuedMs: nowMs },
      expiresMs: nowMs + DAY_MS,
    });
  }

  /** A link that keeps the rules, for an agent, Eve by default. */
  async link(agent: Agent = this.eve): Promise<RpcLink> {
    const keys = staticOf(agent);
    const session = await this.session(keys);
    return await openLink(session, "dialer", {
      hello: { records: [this.record(agent, keys.publicKey)], ...ROOM },
      clock: systemClock,
      learn: (record) => verifyAgentRecord(crypto, record, Date.now()).id,
      speaksFor: () => true,
      onMessage: (message, link) => link.status(message, "taken"),
      ...{ onAnswer: () => {}, onReceipts: () => {}, onOpening: () => {} },
      onUnproven: () => {},
    });
  }

  /** Sends a message over a link, and counts what is said of it. */
  async send(link: RpcLink, message: Message): Promise<void> {
    const sent = await link.send(message);
    this.statuses[sent.kind === "answer" ? "answered" : sent.code]++;
  }

  /** A session with a hello of an agent, Eve by default, from which nothing is read. */
  async raw(agent: Agent = this.eve): Promise<RawLink> {
    const keys = staticOf(agent);
    const session = await this.session(keys);
    const control = await session.open();
    const records = [this.record(agent, keys.publicKey)];
    const hello = encodeHello({ records, ...ROOM, wallTimeMs: Date.now() });
    await control.write(encodeFrame("hello", hello));
    return {
      session,
      write: (bytes) => control.write(bytes),
      isOver: () => !session.isOpen,
    };
  }

  /** A session that says nothing. */
  async session(
    staticKeyPair = x25519KeyPair(crypto, crypto.random(32)),
  ): Promise<htx.Session> {
    const node = keysOf(this.#victim.name.node);
    const session = await htx.dialHtx({
      ...{ address: this.#at.sessions, staticKeyPair, clock: systemClock },
      staticKey: node.staticKeyPair.publicKey,
      offer: node.offer,
    });
    this.sessions++;
    this.#held.push(session);
    return session;
  }

  /** The session that was opened last. */
  get lastSession(): htx.Session {
    return this.#held.at(-1)!;
  }

  /** Ends all sessions but the `left` newest. */
  async release(left = 0): Promise<void> {
    const count = Math.max(0, this.#held.length - left);
    const old = this.#held.splice(0, count);
    await Promise.all(old.map((each) => each.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
    await this.#bundles[Symbol.asyncDispose]();
  }

  #contact(): void {
    const layer = new TcpclLayer({ nodeId: `dtn://${NODE}/` });
    this.#bundles.connect(layer, this.#at.contacts);
  }
}

/** Messages as frames, one behind the other. */
export function framesOf(messages: readonly Message[]): Bytes {
  return concat(
    ...messages.map((each) => encodeFrame("message", encodeMessage(each))),
  );
}

/** The head of a frame that announces a body of `length`, and its first byte. */
export function announcing(type: FrameType, length: number): Bytes {
  const start = encodeFrame(type, new Uint8Array(1));
  new DataView(start.buffer).setUint32(1, length);
  return start;
}

function staticOf(agent: Agent): ReturnType<typeof x25519KeyPair> {
  const secret = crypto.hash("sha256", agent.id.bytes);
  return x25519KeyPair(crypto, secret);
}

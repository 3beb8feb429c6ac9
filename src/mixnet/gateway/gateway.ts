import type { Clock } from "../../core/async/mod.ts";
import { type Bytes, DecodeError, equal } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { StorageError, type Store } from "../../core/storage/mod.ts";
import { decodeForwardContent, NOBODY } from "../client/forward_content.ts";
import { type FrameSink, sendPaced } from "../client/send_paced.ts";
import { MixnetError } from "../error.ts";
import type { LinkFrame, PacketFrame } from "../link/link_frame.ts";
import { type Random, secureRandom } from "../node/draw.ts";
import { SphinxError } from "../sphinx/error.ts";
import type { SphinxGeometry } from "../sphinx/geometry.ts";
import { recoverMessage } from "../sphinx/payload.ts";
import { replyPacket } from "../sphinx/surb.ts";
import {
  Mailbox,
  type MailboxCounts,
  type MailboxLimits,
  type MailboxRefusal,
} from "./mailbox.ts";

const NO_IDENTIFIER = new Uint8Array(16);
const NOTHING = new Uint8Array(0);
const TICK_MS = 10_000;
const MAX_PENDING_ACKS = 4_096;

/** A link of a client; {@link MixLink} is one. */
export interface GatewayLink extends FrameSink {
  /** The client's id, which the handshake has proved. */
  readonly remoteStaticKey: Uint8Array;
  /** What it sends, until the link is over. */
  frames(): AsyncIterable<readonly LinkFrame[]>;
  /** Ends it. */
  close(): void;
}

/** The node that a gateway is part of. */
export interface GatewayNode {
  /** Its id. */
  readonly id: Uint8Array;
  /** Takes packets into its own pipeline: what clients send, and acknowledgements that begin here; resolves when there is room for more. */
  receive(
    packets: readonly { readonly epoch: number; readonly packet: Bytes }[],
  ): Promise<void>;
  /** Queues a packet for another node; `false` if it cannot. */
  offer(nodeId: Uint8Array, epoch: number, packet: Bytes): boolean;
}

/** Parts of a {@link Gateway}. */
export interface GatewayOptions {
  /** Cryptography. */
  readonly crypto: CryptoProvider;
  /** Sizes of the network's packets. */
  readonly geometry: SphinxGeometry;
  /** Time. */
  readonly clock: Clock;
  /** The node. */
  readonly node: GatewayNode;
  /** Keeps the mailboxes. */
  readonly store: Store;
  /** Bounds of the mailboxes. */
  readonly limits?: MailboxLimits;
  /** Mean number of frames per second to each connected client, whatever its mailbox holds. */
  readonly downlinkPerSecond: number;
  /** Draws when they leave; from {@link crypto} by default. */
  readonly random?: Random;
}

/** Why a payload, a client or an acknowledgement was dropped. */
export type GatewayDrop =
  | MailboxRefusal
  | "malformed" // the payload is no message, or not of the form of forward content
  | "ack_surb" // the acknowledgement's SURB is none
  | "ack_full" // the node took no more acknowledgements
  | "too_many_clients"; // a link of a client that is new while too many are known

/** What a gateway did so far. */
export interface GatewayCounts extends MailboxCounts {
  /** Messages stored, replies apart. */
  readonly stored: number;
  /** Replies and acknowledgements stored. */
  readonly repliesStored: number;
  /** Packets for nobody. */
  readonly cover: number;
  /** Acknowledgements sent. */
  readonly acknowledged: number;
  /** Clients connected. */
  readonly connected: number;
  /** Times that the store failed while expired messages were to be removed; that is tried again. */
  readonly storeFailures: number;
  /** Dropped, by reason. */
  readonly dropped: Readonly<Record<GatewayDrop, number>>;
}

interface Session {
  readonly link: GatewayLink;
  readonly stop: AbortController;
  /** The last message sent on this link. */
  sent: number;
}

/**
 * The part of a node that clients are connected to: keeps what comes for them, acknowledges it, and gives it to them at a pace that
 * says nothing about what there is.
 */
export class Gateway implements AsyncDisposable {
  readonly #options: GatewayOptions;
  readonly #mailbox: Mailbox;
  readonly #random: Random;
  readonly #sessions = new Map<string, Session>();
  readonly #serving = new Set<Promise<void>>();
  readonly #dropped: Record<GatewayDrop, number> = {
    unknown_client: 0,
    client_full: 0,
    full: 0,
    malformed: 0,
    ack_surb: 0,
    ack_full: 0,
    too_many_clients: 0,
  };
  #stored = 0;
  #repliesStored = 0;
  #coverTaken = 0;
  #acknowledged = 0;
  #pendingAcks = 0;
  #storeFailures = 0;
  #cancelTick: () => void = () => {};
  #isClosed = false;

  /** Takes up the mailboxes in the store. */
  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#mailbox = new Mailbox(options.store, options.limits);
    this.#random = options.random ?? secureRandom(options.crypto);
    this.#tick();
  }

  /** What it did so far. */
  get counts(): GatewayCounts {
    return {
      ...this.#mailbox.counts,
      stored: this.#stored,
      repliesStored: this.#repliesStored,
      cover: this.#coverTaken,
      acknowledged: this.#acknowledged,
      connected: this.#sessions.size,
      storeFailures: this.#storeFailures,
      dropped: { ...this.#dropped },
    };
  }

  /**
   * Takes the payload of a packet that ended at our node: a reply is stored whole, of other packets the sealed part, and then the
   * acknowledgement goes. What is for nobody is dropped, and acknowledged all the same.
   *
   * @returns Whether it is stored, or for nobody; {@link counts} says why not.
   */
  deliver(
    destination: Uint8Array,
    identifier: Uint8Array,
    payload: Bytes,
  ): boolean {
    const isReply = !equal(identifier, NO_IDENTIFIER);
    if (isReply && equal(destination, NOBODY)) return this.#cover();
    if (isReply) {
      const isStored = this.#put(destination, identifier, payload);
      if (isStored) this.#repliesStored++;
      return isStored;
    }
    const content = this.#contentOf(payload);
    if (!content) return this.#drop("malformed");
    if (equal(destination, NOBODY)) this.#cover();
    else if (!this.#put(destination, identifier, content.sealed)) return false;
    else this.#stored++;
    this.#acknowledge(content.ackEpoch, content.ackSurb);
    return true;
  }

  /**
   * Serves a client on its link until the link is over, the client comes on another link, or the gateway closes.
   *
   * What the client has not collected is given again from the start.
   */
  serve(link: GatewayLink): Promise<void> {
    const serving = this.#serve(link).finally(() => {
      this.#serving.delete(serving);
    });
    this.#serving.add(serving);
    return serving;
  }

  /** Ends every link; what is stored stays. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#cancelTick();
    for (const { link, stop } of this.#sessions.values()) {
      stop.abort();
      link.close();
    }
    await Promise.all(this.#serving);
  }

  async #serve(link: GatewayLink): Promise<void> {
    const { clock } = this.#options;
    const client = link.remoteStaticKey;
    if (this.#isClosed) return link.close();
    if (!this.#mailbox.register(client, clock.wallTime())) {
      this.#drop("too_many_clients");
      return link.close();
    }
    const key = client.toHex();
    const earlier = this.#sessions.get(key);
    earlier?.stop.abort();
    earlier?.link.close();
    const session = { link, stop: new AbortController(), sent: 0 };
    this.#sessions.set(key, session);
    const sending = this.#send(session);
    sending.catch(() => {}); // told below, when reading has ended
    try {
      await this.#read(session);
    } finally {
      session.stop.abort();
      link.close();
      if (this.#sessions.get(key) === session) this.#sessions.delete(key);
      await sending;
    }
  }

  async #read(session: Session): Promise<void> {
    const { link, stop } = session;
    const { node } = this.#options;
    for await (const frames of link.frames()) {
      if (stop.signal.aborted) return;
      const packets: PacketFrame[] = [];
      for (const frame of frames) {
        if (frame.type === "packet") packets.push(frame);
        else if (frame.type === "collected") {
          const upTo = Math.min(frame.sequence, session.sent);
          this.#mailbox.collect(link.remoteStaticKey, upTo);
        } else if (frame.type === "message") return;
      }
      if (packets.length === 0) continue;
      await node.receive(packets.map(({ epoch, packet }) => ({
        epoch,
        packet: new Uint8Array(packet),
      })));
    }
  }

  async #send(session: Session): Promise<void> {
    const { clock, geometry, downlinkPerSecond } = this.#options;
    const { link, stop } = session;
    const next = (): LinkFrame | undefined => {
      const message = this.#mailbox.next(link.remoteStaticKey, session.sent);
      if (!message) return undefined;
      const { sequence, identifier } = message;
      session.sent = sequence;
      const payload = new Uint8Array(geometry.payloadLength);
      payload.set(message.payload);
      return { type: "message", sequence, identifier, payload };
    };
    try {
      await sendPaced(link, next, {
        ratePerSecond: downlinkPerSecond,
        clock,
        random: this.#random,
        signal: stop.signal,
      });
    } catch (error) {
      link.close();
      if (!stop.signal.aborted && !(error instanceof MixnetError)) throw error;
    }
  }

  #cover(): true {
    this.#coverTaken++;
    return true;
  }

  #contentOf(payload: Bytes) {
    try {
      const message = recoverMessage(payload);
      return decodeForwardContent(this.#options.geometry, message);
    } catch (error) {
      if (error instanceof SphinxError || error instanceof DecodeError) {
        return undefined;
      }
      throw error;
    }
  }

  #put(
    destination: Uint8Array,
    identifier: Uint8Array,
    payload: Uint8Array,
  ): boolean {
    const wallMs = this.#options.clock.wallTime();
    const refusal = this.#mailbox.put(destination, identifier, payload, wallMs);
    return refusal === undefined || this.#drop(refusal);
  }

  #acknowledge(epoch: number, surb: Bytes): void {
    const { crypto, geometry, node } = this.#options;
    const { packet, firstHop } = replyPacket(crypto, geometry, surb, NOTHING);
    if (!equal(firstHop, node.id)) {
      if (node.offer(firstHop, epoch, packet)) this.#acknowledged++;
      else this.#drop("ack_surb");
      return;
    }
    if (this.#pendingAcks >= MAX_PENDING_ACKS) {
      return void this.#drop("ack_full");
    }
    this.#pendingAcks++;
    node.receive([{ epoch, packet }]).then(
      () => this.#acknowledged++,
      () => this.#drop("ack_full"),
    ).finally(() => this.#pendingAcks--);
  }

  #drop(reason: GatewayDrop): false {
    this.#dropped[reason]++;
    return false;
  }

  #tick(): void {
    const { clock } = this.#options;
    try {
      this.#age(clock.wallTime());
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      this.#storeFailures++;
    }
    this.#cancelTick = clock.setTimeout(() => this.#tick(), TICK_MS);
  }

  #age(wallMs: number): void {
    for (const { link } of this.#sessions.values()) {
      this.#mailbox.register(link.remoteStaticKey, wallMs);
    }
    this.#mailbox.tick(wallMs);
  }
}

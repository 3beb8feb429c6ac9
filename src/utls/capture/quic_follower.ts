import type { Bytes } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { FlowTable, Reassembly } from "../../core/capture/mod.ts";
import type { DropReason } from "./found_hello.ts";
import { HelloMessages } from "./hello_messages.ts";
import { readCryptoFrames } from "./quic_frames.ts";
import {
  type InitialKeys,
  initialKeys,
  openInitial,
  readInitials,
  type SealedInitial,
} from "./quic_initial.ts";

/** Least bytes of a datagram with a client's Initial packet (RFC 9000 §14.1); shorter ones are not worth deriving keys for. */
const MIN_CLIENT_DATAGRAM_BYTES = 1_200;

/** Most connections that are followed between two endpoints at a time; the one unused for longest gives way. */
const MAX_CONNECTIONS = 8;

/** One direction of a connection. */
interface Flow {
  readonly keys: InitialKeys;
  readonly reassembly: Reassembly;
  readonly hellos: HelloMessages;
}

interface Opened {
  readonly flow: Flow;
  readonly frames: Bytes;
}

/** Follows the QUIC connections of a capture to the hellos in their Initial packets. */
export class QuicFollower {
  readonly #crypto: CryptoProvider;
  readonly #drop: (reason: DropReason) => void;
  /** The connections between two endpoints, the one used last first: keys tell them apart, ids change and may be empty. */
  readonly #paths = new FlowTable<Flow[]>((flows) => {
    for (const flow of flows) this.#evict(flow);
  });

  /** Starts without connections; `drop` counts what is given up. */
  constructor(crypto: CryptoProvider, drop: (reason: DropReason) => void) {
    this.#crypto = crypto;
    this.#drop = drop;
  }

  /**
   * Takes the next datagram, sent as `key` says and answered as `reverseKey` does, and returns the hellos that it completes.
   *
   * @throws {DecodeError} If it is QUIC and malformed.
   */
  push(key: string, reverseKey: string, datagram: Uint8Array): Bytes[] {
    const messages: Bytes[] = [];
    for (const packet of readInitials(datagram)) {
      const mayBeFirst = datagram.length >= MIN_CLIENT_DATAGRAM_BYTES;
      const opened = this.#openKnown(key, packet) ??
        (mayBeFirst ? this.#openFirst(key, reverseKey, packet) : undefined);
      if (!opened) {
        this.#drop("undecryptable");
        break; // the packets behind it are of the same connection
      }
      const { flow: { reassembly, hellos }, frames } = opened;
      for (const { offset, data } of readCryptoFrames(frames)) {
        if (hellos.isOver) break;
        const chunks = reassembly.insert(offset, data);
        if (!chunks) this.#drop("gap");
        for (const chunk of chunks ?? []) messages.push(...hellos.push(chunk));
        if (hellos.isOversized) this.#drop("oversized");
      }
    }
    return messages;
  }

  /** Counts the connections in which a gap was never filled. */
  end(): void {
    for (const { reassembly, hellos } of [...this.#paths.values()].flat()) {
      if (!hellos.isOver && reassembly.hasGap) this.#drop("gap");
    }
  }

  #openKnown(key: string, packet: SealedInitial): Opened | undefined {
    const flows = this.#paths.get(key) ?? [];
    for (const [at, flow] of flows.entries()) {
      const frames = openInitial(this.#crypto, packet, flow.keys);
      if (!frames) continue;
      flows.splice(at, 1);
      flows.unshift(flow);
      return { flow, frames };
    }
    return undefined;
  }

  /** Takes `packet` as the first of a client, or its first after a Retry, which changes the keys. */
  #openFirst(
    key: string,
    reverseKey: string,
    packet: SealedInitial,
  ): Opened | undefined {
    const { version, destinationId } = packet;
    const newFlow = (sender: "client" | "server"): Flow => ({
      keys: initialKeys(this.#crypto, version, destinationId, sender),
      reassembly: new Reassembly(),
      hellos: new HelloMessages(),
    });
    const flow = newFlow("client");
    const frames = openInitial(this.#crypto, packet, flow.keys);
    if (!frames) return undefined;
    this.#add(key, flow);
    this.#add(reverseKey, newFlow("server"));
    return { flow, frames };
  }

  #add(key: string, flow: Flow): void {
    const flows = this.#paths.get(key);
    if (!flows) return this.#paths.set(key, [flow]);
    flows.unshift(flow);
    const evicted = flows.length > MAX_CONNECTIONS ? flows.pop() : undefined;
    if (evicted) this.#evict(evicted);
  }

  #evict({ reassembly, hellos }: Flow): void {
    const isPartial = reassembly.next > 0 && hellos.count === 0;
    if (!hellos.isOver && (reassembly.hasGap || isPartial)) {
      this.#drop("evicted");
    }
  }
}

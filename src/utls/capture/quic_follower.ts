import type { Bytes } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { FlowTable } from "./flow_table.ts";
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
import { Reassembly } from "./reassembly.ts";

/** Least bytes of a datagram with a client's Initial packet (RFC 9000 §14.1); shorter ones are not worth deriving keys for. */
const MIN_CLIENT_DATAGRAM_BYTES = 1_200;

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
  readonly #flows = new FlowTable<Flow>(({ reassembly, hellos }) => {
    if (!hellos.isOver && reassembly.hasGap) this.#drop("evicted");
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
    for (const { reassembly, hellos } of this.#flows.values()) {
      if (!hellos.isOver && reassembly.hasGap) this.#drop("gap");
    }
  }

  #openKnown(key: string, packet: SealedInitial): Opened | undefined {
    const flow = this.#flows.get(key);
    const frames = flow && openInitial(this.#crypto, packet, flow.keys);
    return flow && frames && { flow, frames };
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
    this.#flows.set(key, flow);
    this.#flows.set(reverseKey, newFlow("server"));
    return { flow, frames };
  }
}

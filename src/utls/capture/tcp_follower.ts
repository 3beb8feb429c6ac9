import type { Bytes } from "../../core/bytes/mod.ts";
import type { TransportPacket } from "./decode_packet.ts";
import type { DropReason } from "./found_hello.ts";
import { FlowTable } from "./flow_table.ts";
import { Reassembly } from "./reassembly.ts";
import { TlsStream } from "./tls_stream.ts";

/** One direction of a connection. */
interface Flow {
  /** Sequence number of the byte at offset 0. */
  readonly first: number;
  readonly reassembly: Reassembly;
  readonly stream: TlsStream;
}

/** Follows the TCP connections of a capture to the hellos in them; a connection may have begun before it. */
export class TcpFollower {
  readonly #drop: (reason: DropReason) => void;
  readonly #flows = new FlowTable<Flow>(({ stream }) => {
    if (!stream.isOver && stream.helloCount === 0) this.#drop("evicted");
  });

  /** Starts without connections; `drop` counts what is given up. */
  constructor(drop: (reason: DropReason) => void) {
    this.#drop = drop;
  }

  /** Takes the next segment, and returns the hellos that it completes. */
  push(key: string, packet: TransportPacket): Bytes[] {
    const { payload, syn } = packet;
    const first = (packet.sequence + (syn ? 1 : 0)) >>> 0;
    let flow = this.#flows.get(key);
    if (!flow || syn && flow.first !== first) {
      if (!syn && payload.length === 0) return [];
      flow = { first, reassembly: new Reassembly(), stream: new TlsStream() };
      this.#flows.set(key, flow);
    }
    const { reassembly, stream } = flow;
    if (stream.isOver || payload.length === 0) return [];
    const offset = reassembly.next +
      ((first - flow.first - reassembly.next) | 0); // numbers wrap at 2^32
    const chunks = reassembly.insert(offset, payload);
    if (!chunks) this.#drop("gap");
    const messages = (chunks ?? []).flatMap((chunk) => stream.push(chunk));
    if (stream.isOversized) this.#drop("oversized");
    return messages;
  }

  /** Counts the connections in which a gap was never filled. */
  end(): void {
    for (const { stream, reassembly } of this.#flows.values()) {
      if (!stream.isOver && reassembly.hasGap) this.#drop("gap");
    }
  }
}

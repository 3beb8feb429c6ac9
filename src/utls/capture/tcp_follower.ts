import type { Bytes } from "../../core/bytes/mod.ts";
import {
  FlowTable,
  MAX_PENDING_PIECES,
  Reassembly,
  type TransportPacket,
} from "../../core/capture/mod.ts";
import type { DropReason } from "./found_hello.ts";
import { mayStartTls, TlsStream } from "./tls_stream.ts";

/** One direction of a connection. */
interface Flow {
  /** Sequence number of the byte at offset 0. */
  readonly first: number;
  readonly reassembly: Reassembly;
  readonly stream: TlsStream;
  /** Where the capture shows no SYN and TLS has not started: the segments so far, since the first may be still to come. */
  readonly early: TransportPacket[] | undefined;
}

/** Follows the TCP connections of a capture to the hellos in them; a connection may have begun before it. */
export class TcpFollower {
  readonly #drop: (reason: DropReason) => void;
  readonly #flows = new FlowTable<Flow>(({ reassembly, stream }) => {
    const hasData = reassembly.next > 0 || reassembly.hasGap;
    if (hasData && !stream.isOver && stream.helloCount === 0) {
      this.#drop("evicted");
    }
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
      flow = this.#open(key, first, syn ? undefined : []);
    }
    if (startsBefore(flow, first, payload)) {
      const segments = [packet, ...flow.early!];
      const moved = this.#open(key, first, undefined, flow);
      return segments.flatMap((segment) => this.#take(moved, segment));
    }
    if (flow.early && flow.early.length < MAX_PENDING_PIECES) {
      flow.early.push(packet);
    }
    return this.#take(flow, packet);
  }

  /** Starts to follow `key`; `moved` is the flow that goes on in it. */
  #open(
    key: string,
    first: number,
    early: TransportPacket[] | undefined,
    moved?: Flow,
  ): Flow {
    const flow = {
      first,
      reassembly: new Reassembly(),
      stream: new TlsStream(),
      early,
    };
    this.#flows.set(key, flow, moved);
    return flow;
  }

  #take(flow: Flow, { payload, sequence, syn }: TransportPacket): Bytes[] {
    const { reassembly, stream } = flow;
    if (stream.isOver || payload.length === 0) return [];
    const first = sequence + (syn ? 1 : 0);
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

/** Whether `payload` starts TLS and belongs before what was taken for the start of the stream. */
function startsBefore(
  { early, stream, first: start }: Flow,
  first: number,
  payload: Uint8Array,
): boolean {
  return early !== undefined && !stream.hasStarted && !stream.isOver &&
    ((first - start) | 0) < 0 && payload.length > 0 && mayStartTls(payload);
}

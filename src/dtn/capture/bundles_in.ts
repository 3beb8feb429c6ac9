import {
  type CaptureDrop,
  type Endpoint,
  endpointsOf,
  flowsOf,
  FlowTable,
  IP_PROTOCOL,
  readCapture,
  Reassembly,
  type TransportPacket,
} from "../../core/capture/mod.ts";
import { ByteBudget } from "../cla/byte_budget.ts";
import {
  BundleStream,
  type CarriedBundle,
  mayBeBundle,
} from "./bundle_stream.ts";

/** Why a part of a capture gave no bundle. */
export type BundleDrop =
  | CaptureDrop
  | "gap" // bytes of a stream that never came, or too many behind those
  | "evicted" // a stream that gave way to newer ones inside of a bundle
  | "tls" // a side of a session of TCPCL that goes on encrypted
  | "broken" // a stream that goes on as its layer does not allow
  | "cut" // a stream that ends inside of a bundle
  | "other"; // a stream, or a datagram, of something else

/** A bundle in a capture. */
export interface FoundBundle extends CarriedBundle {
  /** Number of the packet that completed it, from 1. */
  readonly packet: number;
  /** When that packet was seen, in milliseconds since 1970; `undefined` if the file does not say. */
  readonly timestampMs: number | undefined;
  /** Who sent it. */
  readonly source: Endpoint;
  /** Who received it. */
  readonly destination: Endpoint;
}

/** The bundles of a capture, found while they are iterated over, which can be done once. */
export interface CaptureBundles extends Iterable<FoundBundle> {
  /** What gave no bundle so far, and how often; a reason that is absent did not happen. */
  readonly drops: ReadonlyMap<BundleDrop, number>;
}

interface Flow {
  /** Sequence number of the byte at offset 0. */
  readonly first: number;
  readonly reassembly: Reassembly;
  readonly stream: BundleStream;
}

/** What bundles over MTCP and HTTP may hold that are not whole. */
const MAX_HELD_BYTES = 268_435_456;

/**
 * Every bundle in the pcap or pcapng file `capture`, over TCPCLv4, MTCP, UDP and as `POST /push` over HTTP, in the order in which they were whole; they are not
 * decoded, so that the malformed are there too.
 *
 * Streams are followed from their first byte, through disorder, retransmission and overlap; at most 4,096 sides of connections at a
 * time, each with at most 65,536 bytes behind a gap. What goes beyond is given up and counted.
 *
 * @throws {DecodeError} While iterating, if the file is neither, or damaged.
 */
export function bundlesIn(capture: Uint8Array): CaptureBundles {
  const drops = new Map<BundleDrop, number>();
  const bundles = follow(
    capture,
    (reason) => void drops.set(reason, (drops.get(reason) ?? 0) + 1),
  );
  return { drops, [Symbol.iterator]: () => bundles };
}

function* follow(
  capture: Uint8Array,
  drop: (reason: BundleDrop) => void,
): Generator<FoundBundle> {
  const budget = new ByteBudget(MAX_HELD_BYTES);
  const end = (reason: "evicted" | "cut") => ({ stream, reassembly }: Flow) => {
    if (reassembly.hasGap) drop("gap");
    else if (stream.isInside) drop(reason);
    stream.close();
  };
  const flows = new FlowTable<Flow>(end("evicted"));
  for (const { captured, packet } of readCapture(capture, drop)) {
    const carried = packet.protocol === IP_PROTOCOL.tcp
      ? taken(flows, packet, () => new BundleStream(drop, budget), drop)
      : datagram(packet, drop);
    const { number, timestampMs } = captured;
    for (const each of carried) {
      yield { packet: number, timestampMs, ...endpointsOf(packet), ...each };
    }
  }
  for (const flow of flows.values()) end("cut")(flow);
}

/** What a segment completes of its flow. */
function taken(
  flows: FlowTable<Flow>,
  packet: TransportPacket,
  open: () => BundleStream,
  drop: (reason: BundleDrop) => void,
): CarriedBundle[] {
  const { payload, sequence, syn } = packet;
  const [key] = flowsOf(packet);
  const first = (sequence + (syn ? 1 : 0)) >>> 0;
  let flow = flows.get(key);
  if (!flow || syn && flow.first !== first) {
    if (!syn && payload.length === 0) return [];
    flow = { first, reassembly: new Reassembly(), stream: open() };
    flows.set(key, flow);
  }
  if (payload.length === 0) return [];
  const { reassembly, stream } = flow;
  const offset = reassembly.next +
    ((first - flow.first - reassembly.next) | 0); // numbers wrap at 2^32
  const chunks = reassembly.insert(offset, payload);
  if (!chunks) drop("gap");
  return (chunks ?? []).flatMap((chunk) => stream.push(chunk));
}

function datagram(
  { payload }: TransportPacket,
  drop: (reason: BundleDrop) => void,
): CarriedBundle[] {
  if (mayBeBundle(payload)) return [{ layer: "udp", bytes: payload.slice() }];
  drop("other");
  return [];
}

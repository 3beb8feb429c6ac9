import { type Bytes, DecodeError } from "../../core/bytes/mod.ts";
import {
  type CapturedPacket,
  endpointsOf,
  flowsOf,
  IP_PROTOCOL,
  readCapture,
  type TransportPacket,
} from "../../core/capture/mod.ts";
import { type CryptoProvider, defaultProvider } from "../../core/crypto/mod.ts";
import { CLIENT_HELLO, decodeClientHello } from "../client_hello.ts";
import { decodeServerHello } from "../server_hello.ts";
import type { DropReason, FoundHello } from "./found_hello.ts";
import { QuicFollower } from "./quic_follower.ts";
import { TcpFollower } from "./tcp_follower.ts";

/** The hellos of a capture, found while they are iterated over, which can be done once. */
export interface CaptureHellos extends Iterable<FoundHello> {
  /** What gave no hello so far, and how often; a reason that is absent did not happen. */
  readonly drops: ReadonlyMap<DropReason, number>;
}

/**
 * Every ClientHello and ServerHello in the pcap or pcapng file `capture`, over TCP or in QUIC Initial packets, in the order
 * in which they were complete.
 *
 * Streams are followed through disorder, retransmission and overlap. At most 4,096 flows are followed at a time, each with at
 * most 65,536 bytes behind a gap and a hello of at most 65,536 bytes; what goes beyond is given up and counted. A TCP stream
 * may start with up to 65,536 bytes of something else, such as a SOCKS negotiation. DTLS, IP fragments and tunnels are not
 * read.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { defaultProvider } from "../../core/crypto/mod.ts";
 * import { concat } from "../../core/bytes/mod.ts";
 * import { drawOffer, hellosIn, ja4, profileOf, writePcap } from "../mod.ts";
 *
 * using offer = drawOffer(profileOf(131), {
 *   crypto: defaultProvider(),
 *   serverName: "www.example.com",
 * });
 * const { message } = offer;
 * const record = concat(
 *   Uint8Array.of(22, 3, 1, message.length >> 8, message.length & 0xff),
 *   message,
 * );
 * const capture = writePcap([{
 *   source: { address: "192.0.2.1", port: 50_000 },
 *   destination: { address: "198.51.100.1", port: 443 },
 *   timestampMs: 0,
 *   bytes: record,
 * }]);
 * const [found] = hellosIn(capture);
 * assertEquals(found?.message, message);
 * assertEquals(ja4(offer.hello), "t13d1516h2_8daaf6152771_02713d6af862");
 * ```
 *
 * @param crypto Opens QUIC packets.
 * @throws {DecodeError} While iterating, if the file is neither, or damaged.
 */
export function hellosIn(
  capture: Uint8Array,
  crypto: CryptoProvider = defaultProvider(),
): CaptureHellos {
  const drops = new Map<DropReason, number>();
  const drop = (reason: DropReason) =>
    void drops.set(reason, (drops.get(reason) ?? 0) + 1);
  const hellos = follow(capture, crypto, drop);
  return { drops, [Symbol.iterator]: () => hellos };
}

function* follow(
  capture: Uint8Array,
  crypto: CryptoProvider,
  drop: (reason: DropReason) => void,
): Generator<FoundHello> {
  const tcp = new TcpFollower(drop);
  const quic = new QuicFollower(crypto, drop);
  for (const { captured, packet } of readCapture(capture, drop)) {
    const isTcp = packet.protocol === IP_PROTOCOL.tcp;
    const [key, reverseKey] = flowsOf(packet);
    const messages = isTcp
      ? tcp.push(key, packet)
      : orMalformed(() => quic.push(key, reverseKey, packet.payload), drop);
    for (const message of messages ?? []) {
      const hello = decodeHello(message);
      if (!hello) drop("undecodable");
      else yield { ...origin(captured, packet), ...hello };
    }
  }
  tcp.end();
  quic.end();
}

/** What `read` gives; what does not decode is counted. */
function orMalformed<T>(
  read: () => T,
  drop: (reason: DropReason) => void,
): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    drop("malformed");
    return undefined;
  }
}

function decodeHello(message: Bytes) {
  try {
    return message[0] === CLIENT_HELLO
      ? { from: "client" as const, message, hello: decodeClientHello(message) }
      : { from: "server" as const, message, hello: decodeServerHello(message) };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return undefined;
  }
}

function origin(captured: CapturedPacket, packet: TransportPacket) {
  return {
    packet: captured.number,
    timestampMs: captured.timestampMs,
    transport: packet.protocol === IP_PROTOCOL.tcp ? "tcp" : "quic",
    ...endpointsOf(packet),
  } as const;
}

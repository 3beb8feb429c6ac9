import tcpclv4 from "../../vectors/dtn/tcpclv4.json" with { type: "json" };
import live from "../../vectors/dtn/tcpclv4_live.json" with { type: "json" };
import { type Bytes, concat, decodeHex } from "../../../src/core/bytes/mod.ts";
import {
  type Decoded,
  MessageDecoder,
} from "../../../src/dtn/tcpcl/message_decoder.ts";

export { tcpclv4 };

/** What HDTN said in a session, in order: its answers to what we said, or what it said of itself. */
export function hdtnSaid(session: "passive_hdtn" | "active_hdtn"): Bytes[] {
  return live[session].filter(([direction]) => direction === "<")
    .map(([, hex]) => decodeHex(hex!));
}

/** What HDTN says to a contact header without TLS when it wants TLS. */
export function hdtnRefusal(): Bytes {
  return decodeHex(live.tls_required_but_we_say_no[1]![1]!);
}

/** What a new decoder makes of `chunks`; data are joined and in memory of their own. */
export function decodeAll(...chunks: Uint8Array[]): Decoded[] {
  const decoder = new MessageDecoder();
  const all: Decoded[] = [];
  for (const chunk of chunks) {
    for (const decoded of decoder.decode(chunk)) {
      const before = all.at(-1);
      if (decoded.type !== "data") all.push(decoded);
      else if (before?.type === "data" && !before.last) {
        all.pop();
        const data = concat(before.data, decoded.data);
        all.push({ type: "data", data, last: decoded.last });
      } else all.push({ ...decoded, data: decoded.data.slice() });
    }
  }
  return all;
}

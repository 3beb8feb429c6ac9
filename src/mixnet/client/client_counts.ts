import type { InboxCounts } from "./inbox.ts";
import type { LoopCounts } from "./loop_tally.ts";
import type { ReplyCounts } from "./replies.ts";

/** Why something was dropped or not sent. */
export type ClientDrop =
  | "no_route" // a packet was due, and there was no route
  | "unsealable" // what came was not sealed to us, or was changed on its way
  | "malformed" // it was sealed to us, or came through our SURB, and does not decode
  | "unknown_surb" // a SURB that we did not give away, that came back already, or that is forgotten
  | "late_reply" // a reply to a request that ended
  | "unknown_loop" // a loop that is not on its way: late, twice, or from others
  | "foreign_surb"; // a way back that does not begin at our gateway

/** What happened to a client so far, and what it holds. */
export interface ClientCounts {
  /** Packets sent with something in them. */
  readonly realPackets: number;
  /** Loops sent as cover. */
  readonly coverPackets: number;
  /** Packets sent again. */
  readonly retransmissions: number;
  /** Packets that wait to be sent or acknowledged. */
  readonly queuedPackets: number;
  /** Bytes of messages and replies held that are not whole or not taken. */
  readonly heldBytes: number;
  /** SURBs that may still come back. */
  readonly surbsGiven: number;
  /** SURBs forgotten as there were too many. */
  readonly surbsEvicted: number;
  /** Smoothed time from packet to acknowledgement beyond the delays of the routes, in milliseconds. */
  readonly overheadMs: number;
  /** What became of loops. */
  readonly loops: LoopCounts;
  /** What became of fragments. */
  readonly fragments: InboxCounts;
  /** What became of replies that we give. */
  readonly replies: ReplyCounts;
  /** Demands sent. */
  readonly demands: number;
  /** Reply fragments at odds with others of their reply, or too long. */
  readonly malformedReplies: number;
  /** Reply fragments that found no room. */
  readonly refusedReplies: number;
  /** Dropped, by reason. */
  readonly dropped: Readonly<Record<ClientDrop, number>>;
}

/** No drops yet. */
export function noClientDrops(): Record<ClientDrop, number> {
  return {
    no_route: 0,
    unsealable: 0,
    malformed: 0,
    unknown_surb: 0,
    late_reply: 0,
    unknown_loop: 0,
    foreign_surb: 0,
  };
}

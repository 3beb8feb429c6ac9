import type { InboxLimits } from "./inbox.ts";
import type { ReplyLimits } from "./replies.ts";
import type { RequestLimits } from "./requests.ts";
import type { RoundTripOptions } from "./round_trip.ts";

/**
 * Bounds of a client, and what happens at each; see {@link CLIENT_LIMITS} for the defaults.
 *
 * Nobody who sends to a client makes it hold more than these say: by default 32 MiB each of what comes in, of replies that it waits for
 * and of replies that it gives, 1,024 times 48 ways back of 432 bytes, and what SURBs given away and ids take.
 */
export interface ClientLimits {
  /** Longest message sent, in bytes; a longer one is a `RangeError`. */
  readonly maxMessageBytes: number;
  /** Most packets of messages that wait to be sent or acknowledged; a message that does not fit is refused, `queue_full`. */
  readonly maxQueuedPackets: number;
  /** Most SURBs given away that may still come back; beyond, the oldest is forgotten, and what it brings is an `unknown_surb`. */
  readonly maxSurbs: number;
  /** Most loops on their way; beyond, the oldest counts as lost. */
  readonly maxLoops: number;
  /** Most pings that did not come back; one more is refused, `queue_full`. */
  readonly maxPings: number;
  /** What comes in. */
  readonly inbox: InboxLimits;
  /** Replies that we wait for. */
  readonly requests: RequestLimits;
  /** Replies that we give. */
  readonly replies: ReplyLimits;
  /** Times beyond the delays of routes. */
  readonly roundTrip: RoundTripOptions;
}

const MIB = 1024 * 1024;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Bounds that apply when no others are given. */
export const CLIENT_LIMITS: ClientLimits = {
  maxMessageBytes: MIB,
  maxQueuedPackets: 8_192,
  maxSurbs: 16_384,
  maxLoops: 4_096,
  maxPings: 64,
  inbox: {
    maxMessageBytes: MIB,
    maxMessages: 512,
    maxBytes: 32 * MIB,
    reassemblyMs: 60 * MINUTE_MS,
    maxSeen: 100_000,
    seenMs: 8 * DAY_MS, // a gateway keeps messages for 7 days
  },
  requests: {
    maxRequests: 256,
    maxReplyBytes: MIB,
    maxBytes: 32 * MIB,
    surbWindow: 24,
    maxPauseMs: 30_000,
  },
  replies: {
    maxReplies: 1_024,
    maxBytes: 32 * MIB,
    maxSurbs: 48,
    keepMs: 10 * MINUTE_MS,
    maxUsedSurbs: 16_384,
    usedMs: DAY_MS,
  },
  roundTrip: {},
};

import type { ByteBudget } from "../cla/byte_budget.ts";

/** What our side wants of every session. */
export interface SessionPolicy {
  /** Our node id, e.g. `dtn://node/` or `ipn:1.0`; empty to keep it to ourselves. */
  readonly nodeId: string;
  /** Most seconds between two messages of ours, 1 … 65,535, default 30; 0 is none. dtn7-rs ends sessions that have none. */
  readonly keepaliveS: number;
  /** Most data bytes of a segment that we take, default 1 MiB. */
  readonly segmentMruBytes: number;
  /** Most bytes of a bundle that we take, default 128 MiB. */
  readonly transferMruBytes: number;
  /** Most data bytes of a segment that we send, if the peer takes as much, default 256 KiB. */
  readonly segmentBytes: number;
  /**
   * Whether the largest bundle that the peer announces is advice only, default false: dtn7-rs announces 64,000 bytes and takes more.
   */
  readonly ignorePeerTransferMru: boolean;
  /** End a session in which no bundle moved for so long; default `Infinity`, never. One without keepalives ends after 10 minutes. */
  readonly idleTimeoutMs: number;
  /** Longest time in which nothing comes of a bundle that has begun; it is refused then. Default 60 s. */
  readonly stallTimeoutMs: number;
  /** Longest wait for bundles under way once the session is ending, default 10 s. */
  readonly endTimeoutMs: number;
}

/** What one session is to know. */
export interface SessionOptions extends SessionPolicy {
  /** Whether we opened the connection, and so speak first. */
  readonly active: boolean;
  /** Whether the peer has proved that it is the node that its SESS_INIT says; all are believed if absent. */
  readonly isPeer?: ((nodeId: string) => boolean) | undefined;
  /** What bundles that come take room of. */
  readonly budget: ByteBudget;
}

/** Defaults of {@link SessionPolicy}. */
export const SESSION_DEFAULTS = {
  keepaliveS: 30,
  segmentMruBytes: 1_048_576,
  transferMruBytes: 134_217_728,
  segmentBytes: 262_144, // answers get through between two
  ignorePeerTransferMru: false,
  idleTimeoutMs: Infinity,
  stallTimeoutMs: 60_000,
  endTimeoutMs: 10_000,
} as const;

import type { MuxStats } from "./mux.ts";

/** What several sessions did together. */
export interface SessionTotals {
  /** Frames sent. */
  framesOut: number;
  /** Frames received. */
  framesIn: number;
  /** Stream bytes sent. */
  bytesOut: number;
  /** Stream bytes received. */
  bytesIn: number;
  /** Padding bytes sent. */
  paddingOut: number;
  /** Padding bytes received. */
  paddingIn: number;
  /** Key changes of ours. */
  rekeysOut: number;
  /** Key changes of peers. */
  rekeysIn: number;
  /** Streams open now. */
  streams: number;
}

/** Totals of no session. */
export function emptyTotals(): SessionTotals {
  return {
    framesOut: 0,
    framesIn: 0,
    bytesOut: 0,
    bytesIn: 0,
    paddingOut: 0,
    paddingIn: 0,
    rekeysOut: 0,
    rekeysIn: 0,
    streams: 0,
  };
}

/** Adds one session's counts to `totals`. */
export function addStats(totals: SessionTotals, stats: MuxStats): void {
  for (const name of Object.keys(totals) as (keyof SessionTotals)[]) {
    totals[name] += stats[name];
  }
}

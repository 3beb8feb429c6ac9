import type { Invitation } from "./_server_process.ts";

/** What _htx_load_process.ts is told. */
export interface LoadOptions {
  readonly invitation: Invitation;
  readonly sessions: number;
  readonly streamsEach: number;
  readonly streamBytes: number;
}

/** What it answers in the end. */
export interface LoadFigures {
  readonly dialMs: number;
  readonly totalMs: number;
  readonly cpuSeconds: number;
  readonly grownBytes: number;
}

/** Padding of 1,000 sessions is some 2,900 frames a second, which would be measured as well. */
export const UNSHAPED = { pings: true, idlePadding: false };

import type { Priority, WayName } from "../../src/fabric/mod.ts";

/** Types of messages of a scenario, and what their handlers do. */
export const PARCEL_TYPES = [
  "note", // takes a little while
  "ask", // answers
  "refuse", // says why not
  "throw", // fails
  "nobody", // has no handler
] as const;

/** What one agent of a scenario says to another. */
export interface Parcel {
  /** Its number, which no other has. */
  readonly number: number;
  /** Names of agents, `agent@node`. */
  readonly from: string;
  readonly to: string;
  readonly type: typeof PARCEL_TYPES[number];
  readonly isRequest: boolean;
  readonly isOrdered: boolean;
  readonly way: WayName | "auto";
  readonly priority: Priority;
  readonly lifetimeMs: number;
  /** Bytes beside the number. */
  readonly size: number;
}

/** What a parcel carries. */
export function payloadOf({ number, size }: Parcel): unknown[] {
  return [number, new Uint8Array(size).fill(number)];
}

/** The number in a payload. @throws {Error} If it is not what {@link payloadOf} made. */
export function numberIn(payload: unknown): number {
  const [number, filling] = payload as [number, Uint8Array];
  if (filling.some((byte) => byte !== (number & 255))) {
    throw new Error("The payload is another");
  }
  return number;
}

/** The right answer to a request. */
export function answerTo(number: number): number {
  return 3 * number + 1;
}

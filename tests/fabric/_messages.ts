import type { Message } from "../../src/fabric/mod.ts";
import { agentOf } from "./_agents.ts";

/** Who sends most messages of tests. */
export const ana = agentOf("ana@hill");
/** Who receives them. */
export const bob = agentOf("bob@dale");
/** Somebody else. */
export const eve = agentOf("eve@dale");

/** A message of Ana's to Bob that is good for 10 s: its id is 16 times `n`, its payload `n`. */
export function messageOf(n: number, fields: Partial<Message> = {}): Message {
  return {
    id: new Uint8Array(16).fill(n),
    kind: "notify",
    from: ana.id,
    to: bob.id,
    type: "t",
    priority: "normal",
    createdMs: 0,
    deadlineMs: 10_000,
    wantsReceipts: false,
    metadata: new Map(),
    payload: Uint8Array.of(n),
    ...fields,
  };
}

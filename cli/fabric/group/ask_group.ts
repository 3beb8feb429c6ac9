import { utf8 } from "../../../src/core/bytes/mod.ts";
import type { Context } from "../../_main.ts";
import { type AgentFlags, askAgent, jsonIn } from "../ask_agent.ts";

/** An agent, as nodes show it. */
export interface ShownAgent {
  readonly id: string;
  /** Absent if it has no name, or another's. */
  readonly name?: string;
}

/** A group in short, as nodes show it. */
export interface GroupSummary {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  readonly isMember: boolean;
  readonly epoch: number;
  readonly members: number;
  readonly evidence: number;
}

/** A group, as nodes show it. */
export interface ShownGroup extends Omit<GroupSummary, "members"> {
  readonly admins: readonly ShownAgent[];
  readonly isAdminOnlyAdd: boolean;
  readonly isAdminOnlyRemove: boolean;
  readonly maxMembers: number;
  readonly members: readonly (ShownAgent & {
    readonly isAdmin: boolean;
    readonly weight: number;
  })[];
  /** The same for all members in the same epoch, in hexadecimal. */
  readonly authenticator: string | null;
  readonly counts: Readonly<Record<string, number>>;
}

const NOTHING = new Uint8Array(0);

/** Asks the node of an agent for JSON by a GET. */
export async function getJson<T>(
  flags: AgentFlags,
  context: Context,
  path: string,
  query: Readonly<Record<string, string>> = {},
): Promise<T> {
  return jsonIn(await askAgent(flags, context)(path, undefined, query)) as T;
}

/** Asks the node of an agent to do something by a POST; what it answers. */
export async function postJson<T>(
  flags: AgentFlags,
  context: Context,
  path: string,
  query: Readonly<Record<string, string>>,
  body?: unknown,
): Promise<T> {
  const bytes = body === undefined ? NOTHING : utf8(JSON.stringify(body));
  return jsonIn(await askAgent(flags, context)(path, bytes, query)) as T;
}

/** What a person calls an agent. */
export function nameOf({ id, name }: ShownAgent): string {
  return name ?? id;
}

/** What a person calls a group. */
export function groupName(
  { name, group }: { readonly name: string; readonly group: string },
): string {
  return name === "" ? group.slice(0, 12) : name;
}

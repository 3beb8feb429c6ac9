import { type Bytes, DecodeError } from "../../core/bytes/mod.ts";
import { FabricError } from "../error.ts";
import type { AgentId } from "../identity/agent_id.ts";
import type { Priority } from "../message/message.ts";
import type { EvidenceKind } from "./group_evidence.ts";
import type { GroupHistory } from "./group_history.ts";
import { encodeGroupMessage, type GroupMessageKind } from "./group_message.ts";
import {
  type GroupCounts,
  type GroupOutput,
  noCounts,
} from "./group_output.ts";
import type { WelcomeRow } from "./group_rows.ts";
import type { GroupSessionOptions } from "./session_parts.ts";

/** What a member's part of a group has to say, gathered until the end of a call. */
export class SessionMail {
  /** What it did with what came. */
  readonly counts: GroupCounts = noCounts();
  readonly #options: GroupSessionOptions;
  readonly #history: GroupHistory;
  #outputs: GroupOutput[] = [];

  /** Starts with nothing to say. */
  constructor(options: GroupSessionOptions, history: GroupHistory) {
    this.#options = options;
    this.#history = history;
  }

  /** A message about the newest epoch. */
  message(kind: GroupMessageKind, body: Bytes): Bytes {
    const { agent, group } = this.#options;
    const { epoch, id } = this.#history.tip;
    const at = Uint8Array.fromHex(id);
    return encodeGroupMessage(agent, { kind, group, epoch, at, body });
  }

  /** Bytes for agents, this one left out. */
  send(
    to: readonly AgentId[],
    bytes: Bytes,
    priority: Priority,
    lifetimeMs?: number,
  ): void {
    for (const each of to) {
      if (each.equals(this.#options.agent.id)) continue;
      this.#outputs.push({
        ...{ kind: "send", to: each, bytes, priority },
        ...lifetimeMs !== undefined && { lifetimeMs },
      });
    }
  }

  /** A Welcome, for those it lets in. */
  sendWelcome({ id, to, bytes }: WelcomeRow): void {
    for (const each of to) {
      this.#outputs.push({
        ...{ kind: "send", to: each, bytes, priority: "high", welcome: id },
      });
    }
  }

  /** Something else. */
  say(output: Exclude<GroupOutput, { kind: "send" }>): void {
    this.#outputs.push(output);
  }

  /** Other members, drawn by chance. */
  draw(count: number): readonly AgentId[] {
    const { agent, random } = this.#options;
    const others = this.#history.tip.state.members.filter((each) =>
      !each.equals(agent.id)
    );
    const drawn: AgentId[] = [];
    while (drawn.length < count && others.length > 0) {
      const at = Math.floor(random() * others.length);
      drawn.push(...others.splice(at, 1));
    }
    return drawn;
  }

  /** Keeps evidence of what a member did. */
  accuse(
    kind: EvidenceKind,
    agent: AgentId,
    atMs: number,
    ...proofs: readonly Uint8Array[]
  ): void {
    const copies = proofs.map((each) => each.slice());
    const evidence = { kind, agent, atMs, proofs: copies };
    if (this.#options.evidence.add(evidence)) {
      this.say({ kind: "evidence", evidence });
    }
  }

  /** What `decode` gives; what others wrote and does not decode is counted. */
  decoded<T>(decode: () => T): T | undefined {
    try {
      return decode();
    } catch (error) {
      if (!(error instanceof DecodeError || error instanceof FabricError)) {
        throw error;
      }
      this.counts.malformed++;
    }
  }

  /** What MLS makes of a message of another agent; what it does not take is counted. */
  async tried<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof FabricError)) throw error;
      this.counts.invalid++;
    }
  }

  /** All that was to be said. */
  take(): GroupOutput[] {
    const outputs = this.#outputs;
    this.#outputs = [];
    return outputs;
  }
}

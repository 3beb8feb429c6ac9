import { utf8 } from "../../src/core/bytes/mod.ts";
import { defaultProvider } from "../../src/core/crypto/mod.ts";
import { parseTally, type Tally, verifyTally } from "../../src/fabric/mod.ts";
import type { Context } from "../_main.ts";
import { jsonIn } from "../fabric/ask_agent.ts";
import type { ShownGroup } from "../fabric/group/ask_group.ts";
import { type AgentHome, type AgentPlace, startAgent } from "./fabric_place.ts";
import { GroupReader } from "./group_reader.ts";

/** What the node of a member says of itself. */
export interface MemberStatus {
  readonly links: number;
  readonly bundles: { readonly received: number };
}

const NOTHING = new Uint8Array(0);

/** An agent whose node comes and goes, and what it does in groups. */
export class GroupMember implements AsyncDisposable {
  /** The agent's name. */
  readonly name: string;
  readonly #home: AgentHome;
  readonly #context: Context;
  #place: AgentPlace | undefined;

  /** Its node is not up yet. */
  constructor(home: AgentHome, context: Context) {
    this.#home = home;
    this.#context = context;
    this.name = home.name;
  }

  /** Its node, which is up. */
  get place(): AgentPlace {
    return this.#place!;
  }

  /** Starts its node. */
  async start(): Promise<void> {
    this.#place = await startAgent(this.#home, this.#context);
  }

  /** Ends its node at once, as a power cut would. */
  async crash(): Promise<void> {
    await this.place.child.kill();
    await this[Symbol.asyncDispose]();
  }

  /** Does something at its node. */
  async do<T>(
    path: string,
    query: Readonly<Record<string, string>> = {},
    body?: unknown,
  ): Promise<T> {
    const bytes = body === undefined ? NOTHING : utf8(JSON.stringify(body));
    return jsonIn(await this.place.ask(path, bytes, query)) as T;
  }

  /** Asks its node. */
  async get<T>(
    path: string,
    query: Readonly<Record<string, string>> = {},
  ): Promise<T> {
    return jsonIn(await this.place.ask(path, undefined, query)) as T;
  }

  /** What it knows of a group. */
  group(name: string): Promise<ShownGroup> {
    return this.get("/group", { group: name });
  }

  /** Publishes numbers in a group, one after the other. */
  async publish(group: string, from: number, to: number): Promise<void> {
    for (let n = from; n < to; n++) {
      const body = { type: "number", value: n };
      await this.do("/group/publish", { group }, body);
    }
  }

  /** Reads what comes in a group from now on. */
  read(group: string): Promise<GroupReader> {
    return GroupReader.open(this.place.app, group, this.#context.signal);
  }

  /** What has come out of a vote, by the signatures that its node has. */
  async tally(group: string, vote: string): Promise<Tally> {
    const path = "/group/tally/signed";
    const body = await this.place.ask(path, undefined, { group, vote });
    const text = new TextDecoder().decode(body);
    return verifyTally(defaultProvider(), parseTally(text));
  }

  /** Ends its node. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#place?.[Symbol.asyncDispose]();
    this.#place = undefined;
  }
}

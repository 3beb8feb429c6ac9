import { type Context, Hono } from "@hono/hono";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { readBody, upgradeToMessages } from "../../core/transport/mod.ts";
import { FabricError } from "../error.ts";
import type { Group } from "../group/group.ts";
import type { AgentBook } from "../identity/agent_book.ts";
import type { AgentId } from "../identity/agent_id.ts";
import type { AgentGroups } from "./agent_groups.ts";
import { readPublishBody, readRulesBody } from "./group_body.ts";
import { GroupJson } from "./group_json.ts";
import { groupOf, idOfAgent, invitationOf } from "./group_of.ts";
import { GroupSocket } from "./group_socket.ts";
import { voteRoutes } from "./vote_routes.ts";

/** Parts of {@link groupRoutes}. */
export interface GroupRoutesOptions {
  /** The groups of the agent that a request means. */
  readonly of: (c: Context) => AgentGroups;
  /** Whom it knows. */
  readonly book: AgentBook;
  /** Checks signatures. */
  readonly crypto: CryptoProvider;
  /** Longest body of a request. */
  readonly maxBytes: number;
  /** Most WebSockets. */
  readonly maxSockets: number;
  /** Closes them. */
  readonly signal?: AbortSignal;
}

/** What applications do in the groups of an agent. */
export function groupRoutes(options: GroupRoutesOptions): Hono {
  const { of, book, crypto, maxBytes, maxSockets, signal } = options;
  const json = new GroupJson(book, crypto);
  const sockets = new Set<GroupSocket>();
  signal?.addEventListener("abort", () => {
    for (const each of sockets) each.close();
  });
  const bodyOf = async (request: Request): Promise<Uint8Array> => {
    const bytes = await readBody(request, maxBytes);
    if (bytes) return bytes;
    throw new FabricError("too_large", `A body has ${maxBytes} bytes at most`);
  };
  const groupIn = (c: Context): Group =>
    groupOf(of(c).groups.all, c.req.query("group"));
  const invitationIn = (c: Context) =>
    invitationOf(of(c).groups.invitations, c.req.query("group"));
  const memberIn = (c: Context): AgentId =>
    idOfAgent(book, c.req.query("member"));
  const app = new Hono();
  app.get(
    "/groups",
    (c) => c.json(of(c).groups.all.map((each) => json.summary(each))),
  );
  app.post("/groups", async (c) => {
    const own = of(c);
    const rules = readRulesBody(await bodyOf(c.req.raw), book);
    const { kind } = rules;
    if (kind === undefined) throw new RangeError("kind is missing");
    const group = await own.groups.create({ ...rules, kind });
    own.enter(group);
    return c.json(json.summary(group));
  });
  app.get("/invitations", (c) =>
    c.json(
      of(c).groups.invitations.map((each) => json.invitation(each)),
    ));
  app.post("/invitations/accept", async (c) => {
    const invitation = invitationIn(c);
    await of(c).groups.accept(invitation.group, invitation.from);
    return c.json(json.invitation(invitation));
  });
  app.post("/invitations/decline", (c) => {
    const invitation = invitationIn(c);
    of(c).groups.decline(invitation.group);
    return c.json(json.invitation(invitation));
  });
  app.get("/group", (c) => c.json(json.group(groupIn(c))));
  app.post("/group/invite", async (c) => {
    const group = groupIn(c);
    const member = memberIn(c);
    if (isIn(group, member)) {
      throw new FabricError("conflict", "The agent is a member already");
    }
    await group.invite(member);
    return c.json({ group: group.id.toHex(), invited: json.agent(member) });
  });
  app.post("/group/remove", async (c) => {
    const group = groupIn(c);
    const member = memberIn(c);
    if (group.isMember && !isIn(group, member)) {
      throw new FabricError("unknown_agent", "The agent is no member");
    }
    await group.remove(member);
    return c.json(json.summary(group));
  });
  app.post("/group/leave", async (c) => {
    const group = groupIn(c);
    if (group.isMember && group.members.length === 1) {
      const text = "The agent is the only member: forget the group";
      throw new FabricError("conflict", text);
    }
    await group.leave();
    return c.json(json.summary(group));
  });
  app.post("/group/renew", async (c) => {
    const group = groupIn(c);
    await group.update();
    return c.json(json.summary(group));
  });
  app.post("/group/forget", async (c) => {
    const group = groupIn(c);
    const isForced = c.req.query("force") === "true";
    if (group.isMember && group.members.length > 1 && !isForced) {
      const text = "The agent is a member: leave first, or force it";
      throw new FabricError("conflict", text);
    }
    await of(c).forget(group);
    return c.json({ group: group.id.toHex() });
  });
  app.post("/group/admins", async (c) => {
    const group = groupIn(c);
    const member = memberIn(c);
    const others = group.rules.admins.filter((each) => !each.equals(member));
    const isAdmin = c.req.query("is") !== "false";
    if (isAdmin && !isIn(group, member)) {
      throw new FabricError("unknown_agent", "The agent is no member");
    }
    if (!isAdmin && others.length === 0) {
      throw new FabricError("conflict", "A group has at least one admin");
    }
    await group.setRules({ admins: isAdmin ? [...others, member] : others });
    return c.json(json.group(group));
  });
  app.post("/group/rules", async (c) => {
    const group = groupIn(c);
    const { kind, ...rules } = readRulesBody(await bodyOf(c.req.raw), book);
    if (kind !== undefined && kind !== group.rules.kind) {
      throw new RangeError("A group keeps its kind");
    }
    const weights = rules.weights &&
      new Map([...group.rules.weights, ...rules.weights]);
    await group.setRules({ ...rules, ...weights && { weights } });
    return c.json(json.group(group));
  });
  app.post("/group/publish", async (c) => {
    const group = groupIn(c);
    const body = readPublishBody(await bodyOf(c.req.raw));
    const { type, value, priority } = body;
    const sent = await group.publish(type, value, {
      ...priority !== undefined && { priority },
    });
    return c.json({ ...sent, id: sent.id.toHex(), epoch: group.epoch });
  });
  app.get(
    "/group/evidence",
    (c) => c.json(groupIn(c).evidence.map((each) => json.evidence(each))),
  );
  app.get("/group/messages", (c) => {
    const feed = of(c).feed(groupIn(c));
    if (sockets.size >= maxSockets) return c.text("Too many WebSockets\n", 503);
    return upgradeToMessages(c.req.raw, (peer) => {
      const socket: GroupSocket = new GroupSocket(peer, feed, {
        json,
        onClosed: () => void sockets.delete(socket),
      });
      sockets.add(socket);
      return socket;
    });
  });
  const votesIn = (c: Context) => of(c).votes(groupIn(c));
  app.route("/group", voteRoutes({ of: votesIn, json, bodyOf }));
  return app;
}

function isIn({ members }: Group, agent: AgentId): boolean {
  return members.some((each) => each.equals(agent));
}

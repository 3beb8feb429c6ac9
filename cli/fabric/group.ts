import type { Program } from "../_main.ts";

const USAGE = `
Usage: betanet-fabric group <command> [flags]

Groups of agents with keys of their own (MLS) and no server: what is published reaches each member live or by bundles, and who was removed
reads nothing more. <group> is a group's id, its first 6 digits or more, or its name.

Commands:
  create       make a group, whose first member and admin is the agent
  list         groups of the agent
  show         members, rules and counts of a group
  invite       ask an agent to become a member
  invitations  invitations that wait: list them, or join, or decline
  join         accept an invitation
  decline      forget an invitation
  remove       remove a member
  leave        be removed
  forget       erase all that is kept of a group
  admin        make a member an admin, or none any more
  rules        change what the group holds its members to
  renew        renew the agent's keys in the group
  publish      publish a message to the members
  listen       take what members publish, as it comes
  vote         votes: open, cast, list, tally, export, verify
  evidence     what members did that they should not have done: list, export, verify

Examples:
  betanet-fabric group create team
  betanet-fabric group invite team bob@n2
  betanet-fabric group join team --agent bob@n2
  betanet-fabric group publish team say '"hello"'
  betanet-fabric group listen team
  betanet-fabric group create board --kind vote
  betanet-fabric group vote open board 'Paint the shed' --time 10m
`;

/** Groups of an agent. */
export const group: Program = {
  name: "betanet-fabric group",
  usage: USAGE,
  commands: {
    create: async () => (await import("./group/create.ts")).create,
    list: async () => (await import("./group/list.ts")).list,
    show: async () => (await import("./group/list.ts")).show,
    invite: async () => (await import("./group/members.ts")).invite,
    remove: async () => (await import("./group/members.ts")).remove,
    admin: async () => (await import("./group/members.ts")).admin,
    rules: async () => (await import("./group/rules.ts")).rules,
    invitations: async () => (await import("./group/join.ts")).invitations,
    join: async () => (await import("./group/join.ts")).join,
    decline: async () => (await import("./group/join.ts")).decline,
    leave: async () => (await import("./group/leave.ts")).leave,
    forget: async () => (await import("./group/leave.ts")).forget,
    renew: async () => (await import("./group/leave.ts")).renew,
    publish: async () => (await import("./group/publish.ts")).publish,
    listen: async () => (await import("./group/listen.ts")).listen,
    vote: async () => (await import("./group/vote.ts")).vote,
    evidence: async () => (await import("./group/evidence.ts")).evidence,
  },
};

import { main, type Program } from "./_main.ts";

const USAGE = `
Usage: betanet-fabric <command> [flags]

Agents that address each other by identity: a node that delivers their messages live over HTX, or later as bundles, and what
speaks with it.

Commands:
  keygen    make an agent
  node      run a node with agents
  send      send a message
  request   send a request, and print its answer
  listen    take the messages of a type
  peers     agents that are known: list, add, pin, own
  group     groups of agents: create, invite, join, publish, listen, vote
  receipts  what became of messages, signed: show, export, verify
  outbox    messages that wait: list, dead, give-up, retry

  betanet-fabric <command> --help explains each; --version prints the version.

Examples:
  betanet-fabric keygen alice@n1
  betanet-fabric node --listen htx://0.0.0.0:9443
  betanet-fabric request bob@n2 clock.now
  betanet-fabric group create team
`;

/** Everything about agents from the command line. */
export const program: Program = {
  name: "betanet-fabric",
  usage: USAGE,
  commands: {
    keygen: async () => (await import("./fabric/keygen.ts")).keygen,
    node: async () => (await import("./fabric/node.ts")).node,
    send: async () => (await import("./fabric/send.ts")).send,
    request: async () => (await import("./fabric/request.ts")).request,
    listen: async () => (await import("./fabric/listen.ts")).listen,
    peers: async () => (await import("./fabric/peers.ts")).peers,
    group: async () => (await import("./fabric/group.ts")).group,
    receipts: async () => (await import("./fabric/receipts.ts")).receipts,
    outbox: async () => (await import("./fabric/outbox.ts")).outbox,
  },
};

if (import.meta.main) await main(program);

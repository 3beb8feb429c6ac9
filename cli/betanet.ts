import { main, type Program } from "./_main.ts";

const USAGE = `
Usage: betanet <program> <command> [flags]
       betanet demo

Programs:
  htx      covert transport: server, SOCKS5 and HTTP proxy, client
  utls     ClientHellos of browsers: draw, fingerprint, explain, compare
  mixnode  mixnet: nodes, clients, authorities, proofs of delays
  dtn      Bundle Protocol 7: node, send, recv, ping, inspect
  fabric   agents: node, send, request, listen, receipts

  betanet htx --help lists its commands; betanet demo shows a tunnel, a mixnet, bundles and agents at work.

Examples:
  betanet htx server --port 9000
  betanet demo
`;

/** Every program under one name. */
export const program: Program = {
  name: "betanet",
  workers: {
    unwrap: async (scope, crypto) =>
      (await import("./mixnode/unwrap_worker.ts")).unwrapWorker(scope, crypto),
  },
  usage: USAGE,
  commands: {
    htx: async () => (await import("./htx.ts")).program,
    utls: async () => (await import("./utls.ts")).program,
    mixnode: async () => (await import("./mixnode.ts")).program,
    dtn: async () => (await import("./dtn.ts")).program,
    fabric: async () => (await import("./fabric.ts")).program,
    demo: async () => (await import("./demo.ts")).demo,
  },
};

if (import.meta.main) await main(program);

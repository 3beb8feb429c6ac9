import { main, type Program } from "./_main.ts";

const USAGE = `
Usage: betanet-dtn <command> [flags]

A node of Bundle Protocol 7 that stores bundles and forwards them when it can, and what speaks with it.

Commands:
  node          run a node
  send          give a file to the node as a bundle
  recv          take the bundles of an endpoint
  ping          time round trips to an endpoint that echoes
  query         ask a node what it has and has done
  export        write the node's bundles to a folder
  import        give the node the bundles of a folder
  inspect       explain a bundle
  contact-plan  check a contact plan, find a route through it
  simulate      compare schedulers over contacts in simulated time

  betanet-dtn <command> --help explains each; --version prints the version.

Examples:
  betanet-dtn node --id dtn://n1/ --plaintext '*'
  echo hello | betanet-dtn send dtn://n2/in
  betanet-dtn inspect bundle.cbor
`;

/** Everything about bundles from the command line. */
export const program: Program = {
  name: "betanet-dtn",
  usage: USAGE,
  commands: {
    node: async () => (await import("./dtn/node.ts")).node,
    send: async () => (await import("./dtn/send.ts")).send,
    recv: async () => (await import("./dtn/recv.ts")).recv,
    ping: async () => (await import("./dtn/ping.ts")).ping,
    query: async () => (await import("./dtn/query.ts")).query,
    export: async () => (await import("./dtn/export_folder.ts")).exportFolder,
    import: async () => (await import("./dtn/import_folder.ts")).importFolder,
    inspect: async () => (await import("./dtn/inspect.ts")).inspect,
    "contact-plan": async () =>
      (await import("./dtn/contact_plan.ts")).contactPlan,
    simulate: async () => (await import("./dtn/simulate.ts")).simulate,
  },
};

if (import.meta.main) await main(program);

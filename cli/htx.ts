import { main, type Program } from "./_main.ts";

const USAGE = `
Usage: betanet-htx <command> [flags]

HTX, Betanet 1.1's covert transport: real traffic inside an encrypted session that looks like a visit to a web site.

Commands:
  server   accept sessions, forward their streams to allowed targets, show a decoy site to everybody else
  proxy    SOCKS5 and HTTP proxy and port forwards on this machine, through a session
  client   join stdin and stdout to one target
  keygen   make keys
  ticket   make or explain an access ticket
  probe    look at a server with and without a ticket

  betanet-htx <command> --help explains each; --version prints the version.

Examples:
  betanet-htx server --port 9000 --allow example.org:443
  betanet-htx proxy --server betanet-record:…
  curl --socks5-hostname 127.0.0.1:1080 https://example.org/
`;

/** Everything HTX does from the command line. */
export const program: Program = {
  name: "betanet-htx",
  usage: USAGE,
  commands: {
    server: async () => (await import("./htx/server.ts")).server,
    proxy: async () => (await import("./htx/proxy.ts")).proxy,
    client: async () => (await import("./htx/client.ts")).client,
    keygen: async () => (await import("./htx/keygen.ts")).keygen,
    ticket: async () => (await import("./htx/ticket.ts")).ticket,
    probe: async () => (await import("./htx/probe.ts")).probe,
  },
};

if (import.meta.main) await main(program);

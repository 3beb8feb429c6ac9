import { main, type Program } from "./_main.ts";

const USAGE = `
Usage: betanet-utls <command> [flags]

ClientHellos: makes those of real browsers, and says what others make of one.

Commands:
  generate      draw ClientHellos of a Chrome version
  fingerprint   JA3 and JA4 of the hellos in a file, and Akamai's fingerprint of HTTP/2
  inspect       explain every field of a hello
  compare       say which browser a hello is nearest to, and how far off
  learn         write the profile of a browser on this machine
  verify        compare thousands of hellos with those of a browser on this machine

  betanet-utls <command> --help explains each; --version prints the version.

Examples:
  betanet-utls generate --chrome-version 119 --server-name www.example.com
  betanet-utls generate --format pcap --output hello.pcap
  betanet-utls fingerprint hello.pcap
  betanet-utls verify --browser chromium --report report.html
`;

/** Everything about ClientHellos from the command line. */
export const program: Program = {
  name: "betanet-utls",
  usage: USAGE,
  commands: {
    generate: async () => (await import("./utls/generate.ts")).generate,
    fingerprint: async () =>
      (await import("./utls/fingerprint.ts")).fingerprint,
    inspect: async () => (await import("./utls/inspect.ts")).inspect,
    compare: async () => (await import("./utls/compare.ts")).compare,
    learn: async () => (await import("./utls/learn.ts")).learn,
    verify: async () => (await import("./utls/verify.ts")).verify,
  },
};

if (import.meta.main) await main(program);

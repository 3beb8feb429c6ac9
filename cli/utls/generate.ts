import { concat, encodeHex, Writer } from "../../src/core/bytes/mod.ts";
import { systemClock } from "../../src/core/async/mod.ts";
import { defaultProvider } from "../../src/core/crypto/mod.ts";
import * as utls from "../../src/utls/mod.ts";
import { CliError } from "../_error.ts";
import { type Command, command, type Context } from "../_main.ts";
import { readProfile } from "./profile_flag.ts";

const USAGE = `
Usage: betanet-utls generate [--chrome-version <n>] [--server-name <host>] [--format hex|json|pcap]

Draws ClientHellos as a version of Chrome would send them, each in a TLS record. Their keys and random parts are fresh.

  --chrome-version <n>   a major version, or latest (latest)
  --profile <file>       instead of a version, a profile as learn writes it
  --server-name <host>   host for SNI; an IP address sends none, as browsers do (www.example.com)
  --variant <name>       page, or websocket for what a wss: connection offers (page)
  --no-aes               as on a machine without AES instructions
  --count <n>            how many, up to 100000 (1)
  --format <name>        hex: a record a line; json: an object a line; pcap: a capture file (hex)
  --output <file>        write there instead of to stdout

Examples:
  betanet-utls generate --chrome-version 119
  betanet-utls generate --count 100 --format pcap --output hellos.pcap
`;

const MAX_COUNT = 100_000;
const FORMATS = ["hex", "json", "pcap"] as const;
const VARIANTS = ["page", "websocket"] as const;

/** Draws hellos. */
export const generate: Command = command({
  usage: USAGE,
  flags: {
    "chrome-version": "string",
    profile: "string",
    "server-name": "string",
    variant: "string",
    "no-aes": "boolean",
    count: "string",
    format: "string",
    output: "string",
  },
  async run(flags, context) {
    const format = oneOf("format", flags.format ?? "hex", FORMATS);
    const count = Number(flags.count ?? 1);
    if (!Number.isInteger(count) || count < 1 || count > MAX_COUNT) {
      throw new CliError("usage", `Flag --count wants 1 to ${MAX_COUNT}`);
    }
    const profile = flags.profile === undefined
      ? profileOf(flags["chrome-version"] ?? "latest")
      : readProfile(flags.profile);
    const options: utls.DrawOptions = {
      crypto: defaultProvider(),
      serverName: flags["server-name"] ?? "www.example.com",
      variant: oneOf("variant", flags.variant ?? "page", VARIANTS),
      ...(flags["no-aes"] ? { aesHardware: false } : {}),
    };
    const hellos = Array.from({ length: count }, () => draw(profile, options));
    await write(encode(hellos, format), flags.output, context);
  },
});

interface Drawn {
  readonly record: Uint8Array;
  readonly hello: utls.ClientHello;
}

function draw(profile: utls.Profile, options: utls.DrawOptions): Drawn {
  using offer = utls.drawOffer(profile, options);
  const head = new Writer(5).u8(0x16).u16(profile.record.hello)
    .u16(offer.message.length);
  return { record: concat(head.finish(), offer.message), hello: offer.hello };
}

function profileOf(version: string): utls.Profile {
  try {
    return utls.profileOf(version === "latest" ? version : Number(version));
  } catch (cause) {
    if (!(cause instanceof utls.UtlsError)) throw cause;
    const versions = utls.profileVersions();
    throw new CliError("usage", `No profile of Chrome ${version}`, {
      cause,
      hint: `There are ${versions[0]} to ${versions.at(-1)}, and latest.`,
    });
  }
}

function encode(
  hellos: readonly Drawn[],
  format: typeof FORMATS[number],
): Uint8Array {
  if (format === "pcap") return utls.writePcap(streams(hellos));
  const lines = hellos.map(({ record, hello }) =>
    format === "hex" ? encodeHex(record) : JSON.stringify({
      ja3: utls.ja3(hello),
      ja3n: utls.ja3n(hello),
      ja4: utls.ja4(hello),
      record: encodeHex(record),
    })
  );
  return new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""));
}

/** A connection for each hello, between addresses kept for documentation (RFC 5737), in the dynamic ports. */
function streams(hellos: readonly Drawn[]): utls.ClientStream[] {
  const [firstPort, ports] = [49_152, 16_384];
  return hellos.map(({ record }, i) => ({
    source: {
      address: `192.0.2.${1 + Math.floor(i / ports)}`,
      port: firstPort + i % ports,
    },
    destination: { address: "198.51.100.1", port: 443 },
    timestampMs: systemClock.wallTime(),
    bytes: record,
  }));
}

async function write(
  bytes: Uint8Array,
  path: string | undefined,
  { stdout, note }: Context,
): Promise<void> {
  if (path !== undefined) {
    await Deno.writeFile(path, bytes);
    return note(`Wrote ${bytes.length} bytes to ${path}`);
  }
  const writer = stdout.getWriter();
  await writer.write(bytes);
  writer.releaseLock();
}

function oneOf<T extends string>(
  flag: string,
  value: string,
  allowed: readonly T[],
): T {
  const found = allowed.find((each) => each === value);
  if (found !== undefined) return found;
  throw new CliError("usage", `Flag --${flag} wants ${allowed.join(", ")}`);
}

import { concat, encodeHex, Writer } from "../../src/core/bytes/mod.ts";
import { systemClock } from "../../src/core/async/mod.ts";
import { defaultProvider } from "../../src/core/crypto/mod.ts";
import * as utls from "../../src/utls/mod.ts";
import { CliError } from "../_error.ts";
import { oneOf } from "../_flags.ts";
import { type Command, command, type Context } from "../_main.ts";
import { chrome, readProfile } from "./profile_flag.ts";

const USAGE = `
Usage: betanet-utls generate [--chrome-version <n>] [--server-name <host>] [--format hex|json|pcap]

Draws ClientHellos as a version of Chrome would send them, each in a TLS record. Their keys and random parts are fresh.

  --chrome-version <n>   a major version, or latest (latest)
  --profile <file>       instead of a version, a profile as learn writes it
  --server-name <host>   host for SNI; an IP address sends none, as browsers do (www.example.com)
  --variant <name>       page, or websocket for what a wss: connection offers (page)
  --no-aes               as on a machine without AES instructions
  --count <n>            how many, up to 100000 (1)
  --format <name>        hex: a record a line; json: an object a line; pcap: a capture file (hex; json with --json)
  --output <file>        write there instead of to stdout

Examples:
  betanet-utls generate --chrome-version 119
  betanet-utls generate --count 100 --format pcap --output hellos.pcap
`;

const MAX_COUNT = 100_000;

/** Hellos held at a time; between batches a signal is heard. */
const BATCH = 100;

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
    json: "boolean",
  },
  async run(flags, context) {
    const format = formatFlag(flags.format, flags.json);
    const count = Number(flags.count ?? 1);
    if (!Number.isInteger(count) || count < 1 || count > MAX_COUNT) {
      throw new CliError("usage", `Flag --count wants 1 to ${MAX_COUNT}`);
    }
    const profile = profileFlag(flags.profile, flags["chrome-version"]);
    const options: utls.DrawOptions = {
      crypto: defaultProvider(),
      serverName: hostFlag(flags["server-name"] ?? "www.example.com"),
      variant: oneOf("variant", flags.variant ?? "page", VARIANTS),
      ...(flags["no-aes"] ? { aesHardware: false } : {}),
    };
    await using output = await open(flags.output, context);
    for (let at = 0; at < count; at += BATCH) {
      context.signal.throwIfAborted();
      const hellos = Array.from(
        { length: Math.min(BATCH, count - at) },
        () => draw(profile, options),
      );
      await output.write(encode(hellos, format, at));
    }
  },
});

function formatFlag(
  format: string | undefined,
  json: boolean,
): typeof FORMATS[number] {
  const chosen = oneOf("format", format ?? (json ? "json" : "hex"), FORMATS);
  if (!json || chosen === "json") return chosen;
  throw new CliError(
    "usage",
    "Flags --json and --format contradict each other",
  );
}

function profileFlag(
  profile: string | undefined,
  version: string | undefined,
): utls.Profile {
  if (profile === undefined) return chrome(version ?? "latest");
  if (version === undefined) return readProfile(profile);
  throw new CliError("usage", "Want --profile or --chrome-version, got both");
}

function hostFlag(host: string): string {
  try {
    return utls.hostName(host);
  } catch (cause) {
    throw new CliError("usage", "Flag --server-name wants a host", { cause });
  }
}

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

const PCAP_HEADER_LENGTH = 24;

/** What is written for `hellos`, of which the first is the one in place `at`. */
function encode(
  hellos: readonly Drawn[],
  format: typeof FORMATS[number],
  at: number,
): Uint8Array {
  if (format === "pcap") {
    return utls.writePcap(streams(hellos, at))
      .subarray(at === 0 ? 0 : PCAP_HEADER_LENGTH);
  }
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
function streams(
  hellos: readonly Drawn[],
  at: number,
): utls.ClientStream[] {
  const [firstPort, ports] = [49_152, 16_384];
  return hellos.map(({ record }, i) => ({
    source: {
      address: `192.0.2.${1 + Math.floor((at + i) / ports)}`,
      port: firstPort + (at + i) % ports,
    },
    destination: { address: "198.51.100.1", port: 443 },
    timestampMs: systemClock.wallTime(),
    bytes: record,
  }));
}

interface Output extends AsyncDisposable {
  write(bytes: Uint8Array): Promise<void>;
}

async function open(
  path: string | undefined,
  { stdout, note }: Context,
): Promise<Output> {
  const target = path === undefined ? stdout : (await create(path)).writable;
  const writer = target.getWriter();
  let written = 0;
  return {
    async write(bytes) {
      await writer.write(bytes);
      written += bytes.length;
    },
    async [Symbol.asyncDispose]() {
      if (path === undefined) return writer.releaseLock();
      await writer.close();
      note(`Wrote ${written} bytes to ${path}`);
    },
  };
}

function create(path: string): Promise<Deno.FsFile> {
  return Deno.open(path, { write: true, create: true, truncate: true });
}

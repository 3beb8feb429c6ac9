import { encodeHex } from "../../src/core/bytes/mod.ts";
import { defaultProvider } from "../../src/core/crypto/mod.ts";
import { memoryStore } from "../../src/core/storage/mod.ts";
import type { directory, DirectoryDocument } from "../../src/mixnet/mod.ts";
import { CliError } from "../_error.ts";
import { type Command, command } from "../_main.ts";
import { openDirectory } from "./network.ts";
import { readMixnodeConfig } from "./settings.ts";

const SHOW_USAGE = `
Usage: betanet-mixnode directory show [--config <file>] [--epoch <n>]

Gets the document of an epoch from the authorities, verifies it and prints it, and which authorities are convicted of having
signed two things where one may be.

  --config <file>   mixnode.toml by default
  --epoch <n>       which epoch (the one that it is)

Example:
  betanet-mixnode directory show --json
`;

/** Prints a document, and who is convicted. */
export const show: Command = command({
  usage: SHOW_USAGE,
  flags: { config: "string", epoch: "string" },
  async run(flags, context) {
    const config = readMixnodeConfig(flags.config);
    const crypto = defaultProvider();
    using store = memoryStore();
    const client = openDirectory({ config, crypto, store }, context);
    const epoch = flags.epoch === undefined
      ? client.epoch
      : epochOf(flags.epoch);
    await client.gatherEvidence(context.signal);
    let document: DirectoryDocument;
    try {
      document = await client.update(epoch, context.signal);
    } finally {
      for (const { authority, kind, epoch } of client.evidence.all) {
        const id = encodeHex(authority);
        context.note(`authority ${id} signed two ${kind}s of epoch ${epoch}`);
      }
    }
    const convicted = client.evidence.all.map(shownEvidence);
    const { nodes, ...shown } = shownDocument(document);
    const head = Object.entries(shown)
      .map(([name, value]) => `${name} ${[value].flat().join(" ")}`);
    const lines = nodes.map(({ id, layer, addresses }) =>
      `layer ${layer} ${id} ${addresses.join(" ")}`
    );
    context.print(
      { ...shown, nodes, convicted },
      [...head, ...lines].join("\n"),
    );
  },
});

function epochOf(text: string): number {
  if (/^(0|[1-9][0-9]{0,11})$/.test(text)) return Number(text);
  throw new CliError("usage", `--epoch is a number: got ${text}`);
}

function shownEvidence({ authority, kind, epoch, signed }: directory.Evidence) {
  return {
    authority: encodeHex(authority),
    signed: signed.map((each) => encodeHex(each)),
    kind,
    epoch,
  };
}

function shownDocument(document: DirectoryDocument) {
  return {
    network: document.parameters.network,
    epoch: document.epoch,
    from: new Date(document.validAfterMs).toISOString(),
    until: new Date(document.validUntilMs).toISOString(),
    hash: encodeHex(document.hash),
    beacon: encodeHex(document.beacon.value),
    missing: document.beacon.missing,
    nodes: document.nodes.map((node) => ({
      id: encodeHex(node.identityKey),
      layer: node.layer,
      asn: node.asn,
      addresses: node.addresses,
    })),
  };
}

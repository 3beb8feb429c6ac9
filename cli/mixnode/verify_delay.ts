import { DecodeError, encodeHex, equal } from "../../src/core/bytes/mod.ts";
import { defaultProvider } from "../../src/core/crypto/mod.ts";
import { readTextFile } from "../../src/core/storage/mod.ts";
import {
  parseRouteProof,
  PRIVACY_MODES,
  type RouteProof,
  verifyRouteProof,
} from "../../src/mixnet/mod.ts";
import { CliError } from "../_error.ts";
import { oneOf } from "../_flags.ts";
import { type Command, command } from "../_main.ts";
import { keyOf, readRouteInputs } from "./route_inputs.ts";

const PREFIX = "betanet-route:";

const USAGE = `
Usage: betanet-mixnode verify-delay <proof> --document <file> --network <name> --authority <key> --from <id> --to <id>
       betanet-mixnode verify-delay <proof> --inputs <file> --from <id> --to <id>

Checks the proof of a packet's route, ${PREFIX}… or a file that holds it, and prints the hops and delays that it proves. With
--proofs, client send and client ping keep proofs, what goes with them here, and the document.

  --document <file>    the directory's document of the epoch
  --network <name>     the network that the document has to be of
  --authority <key>    key of an authority; give it for each
  --threshold <n>      how many of them must have signed (more than half)
  --inputs <file>      the inputs, unsigned, in JSON instead of a document
  --from <id>          gateway where the packet entered
  --to <id>            gateway where it ended
  --mode <name>        strict, balanced or performance (strict)

Keys and ids are 64 hexadecimal digits. Inputs are, with the nodes in the order of the document:

  {"epoch": 487548, "beacon": "77…", "meanDelayMs": 50, "maxDelayMs": 1000,
   "nodes": [{"id": "…", "layer": 0, "asn": 64496, "sphinxKey": "…"}, …]}

Exit code 1 if the proof does not hold.

Example:
  betanet-mixnode verify-delay proof.txt --inputs inputs.json --from 5f1c… --to 9a02…
`;

/** Checks a proof of a packet's route and delays. */
export const verifyDelay: Command = command({
  usage: USAGE,
  flags: {
    document: "string",
    network: "string",
    authority: "strings",
    threshold: "string",
    inputs: "string",
    from: "string",
    to: "string",
    mode: "string",
  },
  operands: [1, 1],
  async run(flags, context) {
    const from = keyOf("--from", flags.from);
    const to = keyOf("--to", flags.to);
    const modes = Object.keys(PRIVACY_MODES) as (keyof typeof PRIVACY_MODES)[];
    const mode = oneOf("mode", flags.mode ?? "strict", modes);
    const proof = readProof(context.operands[0]!);
    const { beacon, ...inputs } = await readRouteInputs(flags, context);
    if (proof.epoch !== inputs.epoch) {
      throw new CliError(
        "failed",
        `The proof is of epoch ${proof.epoch}, the inputs are of ${inputs.epoch}`,
      );
    }
    const plan = { ...inputs, from, to, mode };
    const route = verifyRouteProof(defaultProvider(), proof, beacon, plan);
    if (!route) {
      throw new CliError("failed", "The proof does not hold for these inputs");
    }
    const hops = route.hops.map(({ address, delayNs }) => ({
      id: encodeHex(address),
      layer: inputs.nodes.find(({ identityKey }) =>
        equal(identityKey, address)
      )!.layer,
      delayMs: delayNs / 1e6,
    }));
    const { epoch, counter, attempt, publicKey } = proof;
    const sender = encodeHex(publicKey);
    const { delaysMs } = route;
    const lines = hops.map(({ id, layer, delayMs }) =>
      `${layer === 0 ? "gateway" : `layer ${layer}`}  ${id}  ${
        delayMs.toFixed(3).padStart(12)
      } ms`
    );
    context.print(
      { sender, epoch, counter, attempt, delaysMs, hops },
      [
        `packet ${counter} of epoch ${epoch}, attempt ${attempt}, by ${sender}`,
        ...lines,
        `in all ${delaysMs.toFixed(3)} ms`,
      ].join("\n"),
    );
  },
});

function readProof(operand: string): RouteProof {
  const text = operand.startsWith(PREFIX) ? operand : readTextFile(operand);
  try {
    return parseRouteProof(text.trim());
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause;
    throw new CliError("failed", "This is no proof of a route", {
      cause,
      hint: `Of a line of routes.jsonl it is what follows "proof", ${PREFIX}…`,
    });
  }
}

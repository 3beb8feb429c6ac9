import { decodeHex, encodeHex } from "../../src/core/bytes/mod.ts";
import { defaultProvider } from "../../src/core/crypto/mod.ts";
import {
  DirectoryError,
  type RouteNode,
  type RoutePlan,
  verifyDocument,
} from "../../src/mixnet/mod.ts";
import { CliError } from "../_error.ts";
import type { Context } from "../_main.ts";
import { readInput } from "../_read_input.ts";

/** What everybody knows of an epoch that routes are drawn from. */
export interface EpochInputs
  extends Pick<RoutePlan, "epoch" | "nodes" | "meanDelayMs" | "maxDelayMs"> {
  /** The value of its BeaconSet. */
  readonly beacon: Uint8Array;
}

/** Flags that say where {@link EpochInputs} are. */
export interface InputFlags {
  /** File of a signed document. */
  readonly document: string | undefined;
  /** File of unsigned inputs instead. */
  readonly inputs: string | undefined;
  /** Name of the network. */
  readonly network: string | undefined;
  /** Keys of its authorities in hexadecimal. */
  readonly authority: readonly string[];
  /** How many of them must have signed. */
  readonly threshold: string | undefined;
}

const MAX_DOCUMENT_BYTES = 16 << 20;

/**
 * The inputs that `flags` name.
 *
 * @throws {CliError} `usage` for flags that do not go together, `failed` for a file that is not what it should be.
 */
export async function readRouteInputs(
  flags: InputFlags,
  context: Context,
): Promise<EpochInputs> {
  const { document, inputs } = flags;
  if ((document === undefined) === (inputs === undefined)) {
    throw new CliError("usage", "Give --document or --inputs");
  }
  if (inputs !== undefined) {
    const bytes = await readInput(inputs, context, MAX_DOCUMENT_BYTES);
    return parseInputs(inputs, bytes);
  }
  const trust = trustOf(flags);
  const bytes = await readInput(document!, context, MAX_DOCUMENT_BYTES);
  try {
    const { epoch, nodes, parameters, beacon } = verifyDocument(
      defaultProvider(),
      bytes,
      trust,
    );
    const { meanDelayMs, maxDelayMs } = parameters;
    return { epoch, nodes, meanDelayMs, maxDelayMs, beacon: beacon.value };
  } catch (cause) {
    if (!(cause instanceof DirectoryError)) throw cause;
    throw new CliError("failed", `The document in ${document} does not hold`, {
      cause,
    });
  }
}

/** The 32 bytes that `text`, the value of `what`, writes. */
export function keyOf(what: string, text: string | undefined): Uint8Array {
  if (text !== undefined && /^[0-9a-f]{64}$/.test(text)) return decodeHex(text);
  throw new CliError("usage", `${what} wants 64 hexadecimal digits`);
}

function trustOf({ network, authority, threshold }: InputFlags) {
  if (network === undefined || authority.length === 0) {
    throw new CliError("usage", "--document wants --network and --authority");
  }
  const keys = new Set(
    authority.map((text) => encodeHex(keyOf("--authority", text))),
  );
  const needed = threshold === undefined
    ? Math.floor(keys.size / 2) + 1
    : Number(threshold);
  if (!Number.isInteger(needed) || needed < 1 || needed > keys.size) {
    throw new CliError(
      "usage",
      `--threshold wants a number from 1 to ${keys.size}, of authorities`,
    );
  }
  const authorities = [...keys].map((text) => decodeHex(text));
  return { network, authorities, threshold: needed };
}

function parseInputs(path: string, bytes: Uint8Array): EpochInputs {
  try {
    const file = JSON.parse(new TextDecoder().decode(bytes));
    const epoch = integerOf(file.epoch, 0);
    const meanDelayMs = numberOf(file.meanDelayMs);
    const maxDelayMs = numberOf(file.maxDelayMs);
    if (maxDelayMs < meanDelayMs) throw new RangeError("maxDelayMs is short");
    const nodes = (file.nodes as unknown[]).map((node) => nodeOf(node, epoch));
    const beacon = hexOf(file.beacon);
    return { epoch, nodes, meanDelayMs, maxDelayMs, beacon };
  } catch (cause) {
    throw new CliError("failed", `${path} does not hold inputs of routes`, {
      cause,
      hint: "verify-delay --help shows what they look like.",
    });
  }
}

function nodeOf(value: unknown, epoch: number): RouteNode {
  const { id, layer, asn, sphinxKey } = value as Record<string, unknown>;
  return {
    identityKey: hexOf(id),
    layer: integerOf(layer, 0),
    asn: integerOf(asn, 0),
    sphinxKeys: new Map([[epoch, hexOf(sphinxKey)]]),
  };
}

function hexOf(value: unknown): Uint8Array {
  if (typeof value === "string" && value.length === 64) return decodeHex(value);
  throw new RangeError("Want 64 hexadecimal digits");
}

function integerOf(value: unknown, min: number): number {
  if (Number.isSafeInteger(value) && Number(value) >= min) return Number(value);
  throw new RangeError(`Want an integer from ${min}`);
}

function numberOf(value: unknown): number {
  if (Number.isFinite(value) && Number(value) > 0) return Number(value);
  throw new RangeError("Want a delay above 0");
}

import { DecodeError } from "../../src/core/bytes/mod.ts";
import {
  BundleError,
  capture as captures,
  decodeBundle,
  QUIRKS,
} from "../../src/dtn/mod.ts";
import { CliError } from "../_error.ts";
import type { Context } from "../_main.ts";
import { explainBundle, textOfExplanation } from "./explain_bundle.ts";

const FAULT = "fault";

/**
 * Explains the bundles of a capture file, each as it is found.
 *
 * @throws {CliError} `failed` if there is none, one does not decode, or the file is damaged.
 */
export function inspectCapture(
  file: Uint8Array,
  { lenient }: { readonly lenient: boolean },
  context: Pick<Context, "print" | "note">,
): void {
  const found = captures.bundlesIn(file);
  let count = 0;
  let bad = 0;
  try {
    for (const each of found) {
      const separator = count++ > 0 ? "\n" : "";
      const explained = explanationOf(each, lenient);
      context.print(explained, separator + textOfExplanation(explained));
      if (FAULT in explained) bad++;
    }
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause;
    throw new CliError("failed", `The capture is damaged: ${cause.message}`);
  }
  for (const [reason, times] of found.drops) {
    context.note(`left out: ${DROPS[reason]} (${times})`);
  }
  if (count === 0) throw new CliError("failed", "No bundle is in the capture");
  if (bad === 0) return;
  throw new CliError("failed", `${bad} of ${count} bundles do not decode`);
}

/** Where a bundle was seen, and what is to be said of it. */
function explanationOf(
  found: captures.FoundBundle,
  lenient: boolean,
): Record<string, unknown> {
  const { packet, timestampMs, source, destination, layer, nodeId } = found;
  return {
    packet,
    ...timestampMs !== undefined && {
      seen: new Date(timestampMs).toISOString(),
    },
    layer,
    from: textOf(source),
    to: textOf(destination),
    ...nodeId !== undefined && { by: nodeId },
    ...contentOf(found.bytes, lenient),
  };
}

function contentOf(
  bytes: Uint8Array,
  lenient: boolean,
): Record<string, unknown> {
  try {
    const bundle = decodeBundle(bytes, lenient ? { quirks: QUIRKS } : {});
    return explainBundle(bundle, bytes.length);
  } catch (error) {
    if (!(error instanceof BundleError)) throw error;
    return { bytes: bytes.length, [FAULT]: `${error.code}: ${error.message}` };
  }
}

function textOf(
  { address, port }: { readonly address: string; readonly port: number },
): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

const DROPS: Readonly<Record<captures.BundleDrop, string>> = {
  link: "a packet of a link type that is not read",
  protocol: "a packet of neither TCP nor UDP",
  fragment: "a part of an IP packet",
  malformed: "a packet that is malformed or cut",
  truncated: "the packet in which the file ends",
  gap: "a stream with a gap",
  evicted: "a stream that gave way to newer ones",
  tls: "a side of a session that is encrypted with TLS",
  broken: "a stream that goes on as its layer does not allow",
  cut: "a stream that ends inside of a bundle",
  other: "a stream or datagram of something else",
};

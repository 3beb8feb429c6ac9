import bp7 from "../../vectors/dtn/bp7.json" with { type: "json" };
import ion from "../../vectors/dtn/bp7_ion_live.json" with { type: "json" };
import hdtn from "../../vectors/dtn/bpsec_hdtn_live.json" with { type: "json" };
import { decodeHex } from "../../../src/core/bytes/mod.ts";

export { bp7, hdtn, ion };

/** A bundle of the vectors, by a name. */
export interface NamedBundle {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Bundles of others that the strict decoder takes, of every shape that the vectors have. */
export function wellFormed(): NamedBundle[] {
  return [
    ...bp7.rfc9173.filter(({ hex }) => hex !== undefined),
    ...bp7.conformance.filter(({ expect, id }) =>
      expect === "accept" || id === "primary-no-crc-no-bib"
    ),
    ...bp7.bundles_seen_on_dtn7.filter(({ id }) => id !== "dtn7-rs-download"),
    ...ion.captured_from_ion.map((each, i) => ({ ...each, id: `ion-${i}` })),
    ...hdtn.bundles,
  ].map(({ id, hex }) => ({ name: id, bytes: decodeHex(hex!) }));
}

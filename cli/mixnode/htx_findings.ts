import { importSigningKey } from "../../src/core/crypto/mod.ts";
import { originAddress } from "../htx/decoy_origin.ts";
import { readServerKeys } from "../htx/keys.ts";
import { operatorCertificate } from "../htx/read_certificate.ts";
import type { MixnodeConfig } from "./config.ts";
import { error, type Finding, trial, warning } from "./finding.ts";
import { isHtx } from "../htx/htx_address.ts";
import { NODE_HTX } from "./htx_config.ts";
import { HTX_KEYS } from "../htx/htx_identity.ts";

/** What is wrong with `[node.htx]`, and with the `htx:` addresses that it is for; `folder` is that of the state. */
export function htxFindings(
  { listen, addresses, htx }: MixnodeConfig["node"],
  folder: string,
): Finding[] {
  const { certificate, key, decoy } = htx;
  const published = addresses.some(isHtx);
  if (!listen.some(isHtx)) {
    const given = [certificate, key, decoy.origin, decoy.directory];
    return [
      ...published
        ? [error("node.addresses has htx:, and node.listen has not")]
        : [],
      ...given.some((each) => each !== undefined)
        ? [warning("node.htx is for htx: addresses, and node.listen has none")]
        : [],
    ];
  }
  const { origin, directory } = decoy;
  const found: Finding[] = [];
  if (addresses.length > 0 && !published) {
    found.push(warning("node.addresses has no htx: address: nobody uses it"));
  }
  if (origin === undefined && directory === undefined) {
    found.push(
      warning("node.htx.decoy names no site: visitors see a placeholder"),
    );
  } else if (origin !== undefined && directory !== undefined) {
    found.push(
      warning("node.htx.decoy.directory is not used: there is an origin"),
    );
  }
  return [
    ...found,
    ...trial(() => {
      if (origin !== undefined) originAddress(origin, NODE_HTX);
    }),
    ...trial(() => {
      operatorCertificate(htx, NODE_HTX, importSigningKey);
    }),
    ...trial(() => {
      readServerKeys(`${folder}/${HTX_KEYS}`);
    }),
  ];
}

import type { Bytes } from "../../src/core/bytes/mod.ts";
import { defaultProvider } from "../../src/core/crypto/mod.ts";
import { parseAddress } from "../../src/core/transport/mod.ts";
import { BundleError, Eid, type Secure } from "../../src/dtn/mod.ts";
import { acceptTls, bundleEidsOf, dialTls } from "../../src/tls/mod.ts";
import { keyImporter } from "../_crypto.ts";
import { CliError } from "../_error.ts";
import type { Context } from "../_main.ts";
import { operatorCertificate } from "../htx/read_certificate.ts";
import { verifierOf } from "../htx/trust.ts";
import type { DtnTlsConfig } from "./tls_config.ts";

/**
 * Speaks TLS in TCPCL as `config` says; `undefined` if it names no certificate.
 *
 * A node that we dial proves its host and its node id (RFC 9174 §4.4); one that dials us proves nothing, as we ask for no certificate.
 *
 * @throws {CliError} If certificate and key do not hold, or TLS is required without them.
 */
export function secureOf(
  config: DtnTlsConfig,
  { log }: Pick<Context, "log">,
): Secure | undefined {
  const certificate = operatorCertificate(
    config,
    "tls",
    keyImporter(defaultProvider(), log),
  );
  if (!certificate) {
    if (!config.required) return undefined;
    throw new CliError("usage", "tls.required wants tls.certificate");
  }
  const vouched = verifierOf(config.ca);
  return async (connection, role, { address, signal }) => {
    if (role === "passive") {
      const certificates = [certificate];
      return {
        connection: await acceptTls(connection, { certificates, signal }),
      };
    }
    let leaf: Bytes | undefined;
    const secured = await dialTls(connection, {
      serverName: parseAddress(address).hostname,
      async verify(chain, subject) {
        await vouched(chain, subject);
        leaf = chain[0];
      },
      signal,
    });
    const isPeer = (nodeId: string) =>
      isNode(nodeId, bundleEidsOf(leaf!), config.node_id);
    return { connection: secured, isPeer };
  };
}

/** Whether `nodeId` is among those that a certificate names; if it names none, whether that may be. */
function isNode(
  nodeId: string,
  named: readonly string[],
  wantsName: boolean,
): boolean {
  if (named.length === 0) return !wantsName;
  return named.some((each) => isSame(each, nodeId));
}

function isSame(one: string, other: string): boolean {
  try {
    return Eid.parse(one).equals(Eid.parse(other));
  } catch (error) {
    if (error instanceof BundleError) return false;
    throw error;
  }
}

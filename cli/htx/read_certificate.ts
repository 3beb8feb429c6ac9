import { DecodeError } from "../../src/core/bytes/mod.ts";
import { CryptoError } from "../../src/core/crypto/mod.ts";
import { readTextFile } from "../../src/core/storage/mod.ts";
import {
  type ServerCertificate,
  serverCertificate,
  type ServerCertificateOptions,
} from "../../src/tls/mod.ts";
import { CliError } from "../_error.ts";
import { exposeCertificate, type ServerKeys } from "./keys.ts";

/** Makes a certificate's key of PKCS #8. */
export type ImportKey = NonNullable<ServerCertificateOptions["importKey"]>;

/** The operator's certificate, as a configuration names it. */
export interface CertificateConfig {
  /** PEM file of the chain. */
  readonly certificate?: string | undefined;
  /** PEM file of the private key. */
  readonly key?: string | undefined;
}

/**
 * The operator's certificate, or that of the state if the configuration names none.
 *
 * @param section Where the configuration names it, for errors.
 * @throws {CliError} As {@link operatorCertificate}.
 */
export function readCertificate(
  config: CertificateConfig,
  section: string,
  keys: Pick<ServerKeys, "certificate">,
  importKey: ImportKey,
): ServerCertificate {
  const theirs = operatorCertificate(config, section, importKey);
  if (theirs) return theirs;
  const { certPem, keyPem } = exposeCertificate(keys.certificate);
  return serverCertificate({ chainPem: certPem, keyPem, importKey });
}

/**
 * The operator's certificate; `undefined` if the configuration names none.
 *
 * @param section Where the configuration names it, for errors.
 * @throws {CliError} If one of its files is missing, or they do not hold.
 */
export function operatorCertificate(
  { certificate, key }: CertificateConfig,
  section: string,
  importKey: ImportKey,
): ServerCertificate | undefined {
  if (certificate === undefined && key === undefined) return undefined;
  if (certificate === undefined || key === undefined) {
    throw new CliError(
      "usage",
      `${section}.certificate and ${section}.key go together`,
    );
  }
  const [chainPem, keyPem] = [readTextFile(certificate), readTextFile(key)];
  try {
    return serverCertificate({ chainPem, keyPem, importKey });
  } catch (cause) {
    const isTheirs = [DecodeError, CryptoError, TypeError, RangeError]
      .some((type) => cause instanceof type);
    if (!isTheirs) throw cause;
    throw new CliError("failed", `Cannot use ${certificate} with ${key}`, {
      cause,
      hint: "openssl pkcs8 -topk8 -nodes -in <key> writes PKCS #8.",
    });
  }
}

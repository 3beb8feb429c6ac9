import { type Bytes, concat, DecodeError } from "../../core/bytes/mod.ts";
import { nodeProvider } from "../../core/crypto/mod.ts";
import { fatal } from "../error.ts";
import type { CertificateSubject, CertificateVerifier } from "../verify.ts";
import { decodeX509, type X509Certificate } from "./x509_certificate.ts";
import { checkDates, checkPath, checkServer } from "./check_path.ts";
import { indexRoots, pathsToRoots, type RootIndex } from "./path.ts";
import { checkPathByPkijs } from "./pkijs_path.ts";
import { checkRevocation, decodeCrl } from "./revocation.ts";

/** Options of {@link chainVerifier}. */
export interface ChainVerifierOptions {
  /**
   * Certificates whose owners are trusted to issue others, in DER, such as {@link systemRoots}. One that is not a certificate stands
   * for nobody, and none stands for a server: see {@link pinnedVerifier} for that.
   */
  readonly roots: readonly Bytes[];
  /**
   * Certificate revocation lists in DER (RFC 5280 §5); none if not given, and then nothing is revoked. A list that is not valid now, is
   * not signed by the issuer of the certificate or has a critical extension says nothing.
   */
  readonly crls?: readonly Bytes[];
}

/**
 * A verifier that looks for a path from the server's certificate to a root and validates it by RFC 5280 §6.1 and RFC 9525.
 *
 * A path is good if this code and the engine of pkijs both find it so. Beyond RFC 5280 it wants DER, subjectAltName with the host,
 * digitalSignature and serverAuth where a certificate limits its use, keys and signatures of TLS 1.3 (RSA of 2,048 bits and more), a
 * root within its time, and at most 10 certificates of 64 KiB in total. It asks nobody on the network: no missing issuer is fetched,
 * no OCSP and no certificate transparency.
 *
 * | alert | fault |
 * | --- | --- |
 * | `unknownCa` | no path to a root, or through what may not issue certificates |
 * | `certificateExpired` | a certificate of the path is not valid now |
 * | `certificateRevoked` | a list of `crls` names a certificate of the path |
 * | `unsupportedCertificate` | key, signature algorithm, purpose, unknown critical extension or form of name constraint |
 * | `badCertificate` | malformed, too large, wrong signature, another host, a name that the issuer may not certify |
 * | `certificateUnknown` | pkijs alone refuses the path, as for its policies |
 *
 * The last 64 good paths are remembered, so that the next handshake checks host, dates and revocation only. Of a chain that leads to
 * roots in many ways, 8 are tried, as far as they turn up within 100 steps.
 *
 * @throws {DecodeError} If a revocation list is malformed.
 */
export function chainVerifier(
  { roots, crls = [] }: ChainVerifierOptions,
): CertificateVerifier {
  let index: RootIndex | undefined;
  const lists = crls.map(decodeCrl);
  const memory = new Set<string>();
  return async (chain, subject) => {
    index ??= indexRoots(roots);
    try {
      const certificates = decodeChain(chain);
      checkServer(certificates[0]!, subject);
      const paths = pathsToRoots(certificates, index).take(MAX_PATHS);
      await findPath(paths, async (path) => {
        checkDates(path, subject.wallTimeMs);
        await checkOnce(path, subject, memory);
        checkRevocation(path, lists, subject.wallTimeMs);
      });
    } catch (cause) {
      if (!(cause instanceof DecodeError)) throw cause;
      throw fatal("badCertificate", "Want well-formed certificates", { cause });
    }
  };
}

const MAX_CERTIFICATES = 10;
const MAX_CHAIN_BYTES = 65_536;
const MAX_PATHS = 8;
const MAX_REMEMBERED_PATHS = 64;

function decodeChain(chain: readonly Bytes[]): X509Certificate[] {
  const bytes = chain.reduce((sum, { length }) => sum + length, 0);
  if (
    chain.length === 0 || chain.length > MAX_CERTIFICATES ||
    bytes > MAX_CHAIN_BYTES
  ) {
    throw fatal(
      "badCertificate",
      `Want 1 to ${MAX_CERTIFICATES} certificates of ${MAX_CHAIN_BYTES} bytes`,
    );
  }
  return chain.map(decodeX509);
}

/** Tries `paths` until one passes `check`; if none does, what the first was refused for is thrown. */
async function findPath(
  paths: Iterable<readonly X509Certificate[]>,
  check: (path: readonly X509Certificate[]) => Promise<void>,
): Promise<void> {
  let refusal: unknown;
  for (const path of paths) {
    try {
      return await check(path);
    } catch (error) {
      refusal ??= error;
    }
  }
  throw refusal ?? fatal("unknownCa", "Want a path to a trusted root");
}

/** Checks what holds of `path` at any time for any host, unless `memory` has it. */
async function checkOnce(
  path: readonly X509Certificate[],
  { wallTimeMs }: CertificateSubject,
  memory: Set<string>,
): Promise<void> {
  const all = concat(...path.map(({ der }) => der));
  const key = nodeProvider.hash("sha256", all).toHex();
  if (memory.has(key)) return;
  checkPath(path);
  await checkPathByPkijs(path, wallTimeMs);
  const [oldest] = memory;
  if (memory.size === MAX_REMEMBERED_PATHS) memory.delete(oldest!);
  memory.add(key);
}

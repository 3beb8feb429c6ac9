/** A chain to judge. */
export interface Case {
  readonly name: string;
  /** What the server sends, by the names of certificates. */
  readonly chain: readonly string[];
  /** `root-p384`, `root-rsa` and `root-ed25519` if not given. */
  readonly roots?: readonly string[];
  /** `server.example` if not given. */
  readonly host?: string;
  /** Revocation lists by name, none if not given. */
  readonly crls?: readonly string[];
  /** The alert that we refuse it with; good if not given. */
  readonly alert?: string;
  /** Why `openssl verify` judges otherwise, if it does. */
  readonly openssl?: string;
  /** Why crypto/x509 of Go judges otherwise, if it does. */
  readonly go?: string;
}

const good: readonly Case[] = [
  { name: "P-256 below P-256 and P-384", chain: ["p256", "ca-p256"] },
  { name: "P-384", chain: ["p384", "ca-p256"] },
  { name: "P-521", chain: ["p521", "ca-p256"] },
  { name: "RSA", chain: ["rsa", "ca-rsa"] },
  { name: "RSA with SHA-512", chain: ["rsa-sha512", "ca-rsa"] },
  { name: "RSA straight below the root", chain: ["rsa-by-root"] },
  { name: "RSA-PSS signature, SHA-384", chain: ["rsa-by-pss", "ca-rsa"] },
  { name: "RSA-PSS signature on the CA", chain: ["rsa", "ca-rsa-pss"] },
  { name: "RSA-PSS key", chain: ["rsa-pss", "ca-rsa"] },
  { name: "Ed25519", chain: ["ed25519"] },
  { name: "root sent along", chain: ["p256", "ca-p256", "root-p384"] },
  {
    name: "cross-signed, the unknown root first",
    openssl: "tries one way",
    chain: ["rsa", "ca-rsa-cross-unknown", "ca-rsa-cross-p384"],
    roots: ["root-p384"],
  },
  {
    name: "cross-signed, the expired root first",
    openssl: "tries one way",
    chain: ["rsa", "ca-rsa-cross-expired", "ca-rsa"],
    roots: ["root-expired", "root-rsa"],
  },
  {
    name: "shuffled intermediates",
    chain: [
      "by-long-7",
      ...[3, 0, 7, 5, 1, 4, 6, 2].map((i) => `long-${i}`),
    ],
  },
  {
    name: "certificates that do not belong to it",
    chain: ["p256", "ca-rsa", "loop-a", "ca-p256", "loop-b"],
  },
  {
    name: "two roots of one name, the wrong one first",
    chain: ["rsa", "ca-rsa"],
    roots: ["root-rollover", "root-rsa"],
  },
  { name: "the other of two roots of one name", chain: ["rollover"], roots: ["root-rsa", "root-rollover"] },
  { name: "wildcard", chain: ["wildcard", "ca-p256"], host: "a.wild.example" },
  { name: "host in upper case", chain: ["p256", "ca-p256"], host: "SERVER.example" },
  { name: "certificate in upper case", chain: ["upper-case", "ca-p256"] },
  { name: "A-label", chain: ["a-label", "ca-p256"], host: "xn--bcher-kva.example" },
  { name: "IPv4 address", chain: ["p256", "ca-p256"], host: "127.0.0.1" },
  { name: "IPv6 address", chain: ["p256", "ca-p256"], host: "::1" },
  { name: "no purpose", chain: ["no-purpose", "ca-p256"] },
  { name: "no key usage", chain: ["no-usage", "ca-p256"] },
  { name: "server and client purposes", chain: ["both-purposes", "ca-p256"] },
  { name: "CA for any purpose", chain: ["by-any-purpose", "ca-any-purpose"], openssl: "wants serverAuth itself where a CA has a purpose" },
  { name: "CA for servers", chain: ["by-server-only", "ca-server-only"] },
  { name: "CA without key usage", chain: ["by-no-usage", "ca-no-usage"] },
  { name: "path length 0 kept", chain: ["by-path-0", "ca-path-0"] },
  { name: "DNS name permitted", chain: ["by-dns-permitted", "ca-dns-permitted"] },
  { name: "DNS name not excluded", chain: ["by-dns-not-excluded", "ca-dns-not-excluded"] },
  { name: "wildcard beside what is excluded", chain: ["wildcard-by-deeper-excluded", "ca-deeper-excluded"], host: "a.wild.example" },
  { name: "mail addresses limited, none there", chain: ["by-mail-permitted", "ca-mail-permitted"] },
  { name: "mail address permitted", chain: ["mail-inside", "ca-mail-permitted"] },
  { name: "constraint of an unknown form, no such name", chain: ["by-registered-id", "ca-registered-id"], go: "wants to know every form" },
  { name: "directory name permitted", go: "wants to know every form", chain: ["in-directory", "ca-directory-permitted"] },
  { name: "directory name not excluded", go: "wants to know every form", chain: ["by-directory-excluded", "ca-directory-excluded"] },
  { name: "policy on the CA only", chain: ["by-policies", "ca-policies"] },
  { name: "unknown extension", chain: ["unknown-extension", "ca-p256"] },
  { name: "not on the list", chain: ["p256", "ca-p256"], crls: ["crl-empty"] },
  { name: "on a stale list", chain: ["p256", "ca-p256"], crls: ["crl-p256-stale"], openssl: "wants a valid list" },
  { name: "on a forged list", chain: ["p256", "ca-p256"], crls: ["crl-p256-forged"], openssl: "wants a valid list" },
  { name: "on a list with an unknown critical extension", chain: ["p256", "ca-p256"], crls: ["crl-p256-critical"], openssl: "wants a valid list" },
  { name: "on a list of a CA without cRLSign", chain: ["by-path-0", "ca-path-0"], crls: ["crl-by-path-0"], openssl: "wants a valid list" },
];

const unknownCa: readonly Case[] = [
  { name: "unknown root", chain: ["p256", "ca-p256"], roots: ["root-rsa"] },
  { name: "unknown root sent along", chain: ["rsa", "ca-rsa-cross-unknown", "root-unknown"], roots: ["root-p384"] },
  { name: "no intermediate", chain: ["p256"] },
  { name: "the wrong intermediate", chain: ["p256", "ca-rsa"] },
  { name: "self-signed", chain: ["self-signed"] },
  {
    name: "self-signed and among the roots",
    chain: ["self-signed"],
    roots: ["self-signed"],
    openssl: "takes a root as a server",
    go: "takes a root as a server",
  },
  { name: "loop without a root", chain: ["by-loop", "loop-a", "loop-b"] },
  {
    name: "many ways and no root",
    chain: ["by-tangle", ...Array.from({ length: 9 }, (_, i) => `tangle-${i}`)],
  },
  { name: "CA without basicConstraints", chain: ["by-no-constraints", "ca-no-constraints"] },
  { name: "CA that says it is none", chain: ["by-false", "ca-false"] },
  { name: "CA without keyCertSign", chain: ["by-no-cert-sign", "ca-no-cert-sign"] },
  { name: "CA of version 1", chain: ["by-version-1", "ca-version-1"] },
  { name: "server as CA", chain: ["by-leaf", "leaf-as-ca", "ca-p256"] },
  { name: "path length 0 exceeded", chain: ["below-path-0", "ca-below-path-0", "ca-path-0"] },
].map((one) => ({ ...one, alert: "unknownCa" }));

const certificateExpired: readonly Case[] = [
  { name: "expired", chain: ["expired", "ca-p256"] },
  { name: "not yet valid", chain: ["not-yet", "ca-p256"] },
  { name: "expired CA", chain: ["by-expired-ca", "ca-expired"] },
  { name: "expired root", chain: ["by-expired-root"], roots: ["root-expired"] },
].map((one) => ({ ...one, alert: "certificateExpired" }));

const anyText = { openssl: "compares whatever text is there" };
const malformedConstraints: readonly Case[] = ([
  ["u-label", anyText],
  ["dot-behind", anyText],
  ["wildcard", { ...anyText, go: "compares it as text" }],
  ["empty-label", anyText],
  ["seven-octets", {}],
  ["prefix-length", {}],
  ["sixteen-octets", {}],
  ["mask-with-gap", { openssl: "takes any mask" }],
] as const).flatMap(([id, others]) =>
  ["permitted", "excluded"].map((list) => ({
    name: `malformed constraint, ${id} ${list}`,
    chain: [`by-${id}-${list}`, `ca-${id}-${list}`],
    ...others,
  }))
);

const badCertificate: readonly Case[] = [
  { name: "another host", chain: ["p256", "ca-p256"], host: "other.example" },
  { name: "a host below", chain: ["p256", "ca-p256"], host: "a.server.example" },
  { name: "a host that is no name", chain: ["p256", "ca-p256"], host: "server.example\0", openssl: "cannot be asked" },
  { name: "another address", chain: ["p256", "ca-p256"], host: "127.0.0.2" },
  { name: "host in the common name only", chain: ["common-name", "ca-p256"], openssl: "looks there if there is no DNS name" },
  { name: "host in a URI", chain: ["dns-as-uri", "ca-p256"] },
  { name: "no name", chain: ["empty-names", "ca-p256"] },
  { name: "wildcard for two labels", chain: ["wildcard", "ca-p256"], host: "a.b.wild.example" },
  { name: "wildcard for none", chain: ["wildcard", "ca-p256"], host: "wild.example" },
  { name: "wildcard in part of a label", chain: ["partial-wildcard", "ca-p256"] },
  { name: "wildcard alone", chain: ["bare-wildcard", "ca-p256"], host: "example" },
  { name: "wildcard inside", chain: ["wildcard-inside", "ca-p256"], host: "a.b.example" },
  { name: "wildcard below the top", chain: ["tld-wildcard", "ca-p256"], go: "takes it" },
  { name: "U-label", chain: ["u-label", "ca-p256"], host: "xn--bcher-kva.example" },
  { name: "NUL in a name", chain: ["nul-in-name", "ca-p256"] },
  { name: "address as a DNS name", chain: ["ip-as-dns", "ca-p256"], host: "127.0.0.1" },
  { name: "address of three octets", chain: ["short-ip", "ca-p256"], host: "127.0.1" },
  { name: "DNS name not permitted", chain: ["by-dns-not-permitted", "ca-dns-not-permitted"] },
  { name: "DNS name permitted below a dot only", chain: ["by-dns-dot-permitted", "ca-dns-dot-permitted"] },
  { name: "DNS name excluded", chain: ["by-dns-excluded", "ca-dns-excluded"] },
  { name: "every DNS name excluded", chain: ["by-all-dns-excluded", "ca-all-dns-excluded"] },
  { name: "wildcard for an excluded DNS name", chain: ["wildcard-by-host-below-wildcard-excluded", "ca-host-below-wildcard-excluded"], host: "a.wild.example", openssl: "compares the wildcard as text" },
  { name: "wildcard for the excluded DNS name and others", chain: ["wildcard-by-host-below-wildcard-excluded", "ca-host-below-wildcard-excluded"], host: "b.wild.example", openssl: "compares the wildcard as text" },
  { name: "wildcard for more than the permitted DNS name", chain: ["wildcard-by-host-below-wildcard-permitted", "ca-host-below-wildcard-permitted"], host: "a.wild.example" },
  { name: "DNS names widened further down", chain: ["widened", "ca-below-dns-permitted", "ca-dns-not-permitted"] },
  { name: "address not permitted", chain: ["by-ip-not-permitted", "ca-ip-not-permitted"] },
  { name: "address excluded", chain: ["by-ip-excluded", "ca-ip-excluded"] },
  { name: "directory name not permitted", chain: ["by-directory-permitted", "ca-directory-permitted"] },
  { name: "directory name excluded", chain: ["in-excluded-directory", "ca-directory-excluded"] },
  ...malformedConstraints,
  { name: "bit of the signature wrong", chain: ["bad-signature", "ca-p256"] },
  { name: "bit of the body wrong", chain: ["bad-body", "ca-p256"] },
  { name: "bit of the CA's signature wrong", chain: ["p256", "ca-bad-signature"] },
  { name: "signed by a CA of the same name", chain: ["wrong-signer", "ca-p256"] },
  { name: "two signature algorithms", chain: ["outer-algorithm", "ca-rsa"] },
  { name: "extension twice", chain: ["twice", "ca-p256"] },
  { name: "version 1", chain: ["version-1", "ca-p256"] },
  { name: "version 1 with extensions", chain: ["version-1-extensions", "ca-p256"], openssl: "does not look at the version" },
  { name: "version 4", chain: ["version-4", "ca-p256"], openssl: "does not look at the version" },
  { name: "names cut short", chain: ["malformed-names", "ca-p256"] },
  { name: "byte behind", chain: ["trailing-byte", "ca-p256"], openssl: "reads PEM, which is made of DER", },
  { name: "byte missing", chain: ["cut-short", "ca-p256"] },
  { name: "no certificate", chain: ["not-a-certificate"] },
  { name: "nothing but nesting", chain: ["deep"] },
  { name: "chain of 12", chain: ["by-long-11", ...Array.from({ length: 11 }, (_, i) => `long-${i}`)] },
  { name: "chain of none", chain: [] },
].map((one) => ({ ...one, alert: "badCertificate" }));

const unsupportedCertificate: readonly Case[] = [
  { name: "client purpose", chain: ["client-purpose", "ca-p256"] },
  { name: "any purpose", chain: ["any-purpose", "ca-p256"], go: "takes it" },
  { name: "key encipherment only", chain: ["key-encipherment", "ca-rsa"], openssl: "takes what older versions of TLS can use", go: "does not look at it" },
  { name: "CA for clients", chain: ["by-client-only", "ca-client-only"] },
  { name: "RSA of 1,024 bits", go: "does not look at the size of keys", chain: ["rsa-1024", "ca-rsa"] },
  { name: "CA with RSA of 1,024 bits", go: "does not look at the size of keys", chain: ["by-rsa-1024", "ca-rsa-1024"] },
  { name: "curve of no TLS 1.3 scheme", chain: ["k256", "ca-p256"], openssl: "takes it" },
  { name: "SHA-1", chain: ["sha-1", "ca-rsa"] },
  { name: "MD5", chain: ["md5", "ca-rsa"] },
  { name: "SHA-256 with P-384", chain: ["p384-sha-256"], openssl: "takes it", go: "takes it" },
  { name: "unknown critical extension", chain: ["unknown-critical", "ca-p256"] },
  { name: "unknown critical extension on a CA", chain: ["by-unknown-critical", "ca-unknown-critical"] },
  { name: "constraint and name of an unknown form", chain: ["with-registered-id", "ca-registered-id"] },
].map((one) => ({ ...one, alert: "unsupportedCertificate" }));

const others: readonly Case[] = [
  { name: "mail address not permitted", chain: ["mail-outside", "ca-mail-permitted"], alert: "certificateUnknown" },
  { name: "policy wanted, none there", chain: ["by-explicit-policy", "ca-explicit-policy"], alert: "certificateUnknown" },
  { name: "revoked", chain: ["p256", "ca-p256"], crls: ["crl-p256"], alert: "certificateRevoked" },
  { name: "revoked by a list with an unknown extension", chain: ["p256", "ca-p256"], crls: ["crl-p256-extension"], alert: "certificateRevoked" },
];

/** The set. */
export const cases: readonly Case[] = [
  ...good,
  ...unknownCa,
  ...certificateExpired,
  ...badCertificate,
  ...unsupportedCertificate,
  ...others,
];

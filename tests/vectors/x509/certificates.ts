import { createHash } from "node:crypto";
import { type Bytes, concat, utf8 } from "../../../src/core/bytes/mod.ts";
import {
  type AlgorithmName,
  bitString,
  type CertificateSpec,
  der,
  encodeCertificate,
  encodeCrl,
  extension,
  generalName,
  integer,
  name,
  objectIdentifier,
  publicKeyOf,
  PURPOSE,
  relativeName,
  sequence,
} from "./_certificate.ts";

const rsa = (bits: number) => [
  "-algorithm",
  "RSA",
  "-pkeyopt",
  `rsa_keygen_bits:${bits}`,
];
const curve = (name: string) => [
  "-algorithm",
  "EC",
  "-pkeyopt",
  `ec_paramgen_curve:${name}`,
];

/** The keys by name, with what `openssl genpkey` needs to make them. */
export const KEY_NAMES = {
  rootRsa: rsa(2048),
  rootP384: curve("P-384"),
  rootEd25519: ["-algorithm", "ED25519"],
  otherRoot: curve("P-256"),
  caP256: curve("P-256"),
  caP256B: curve("P-256"),
  caRsa: rsa(2048),
  rsa: rsa(2048),
  rsaPss: [
    "-algorithm",
    "RSA-PSS",
    "-pkeyopt",
    "rsa_keygen_bits:2048",
  ],
  rsa1024: rsa(1024),
  p256: curve("P-256"),
  p384: curve("P-384"),
  p521: curve("P-521"),
  k256: curve("secp256k1"),
  ed25519: ["-algorithm", "ED25519"],
} as const satisfies Record<string, readonly string[]>;

export type KeyName = keyof typeof KEY_NAMES;

/** The algorithm each key signs with where nothing else is said. */
const ALGORITHM: Partial<Record<KeyName, AlgorithmName>> = {
  rootRsa: "rsaSha256",
  caRsa: "rsaSha256",
  rsa: "rsaSha256",
  rsa1024: "rsaSha256",
  rootP384: "ecdsaSha384",
  rootEd25519: "ed25519",
  rsaPss: "pssSha256",
  ed25519: "ed25519",
};

const HOST = "server.example";
const { basicConstraints, extendedKeyUsage, keyUsage, subjectAltName } =
  extension;
const { dns, ip, directory, mail, uri } = generalName;
const SERVER_NAMES = [
  dns(HOST),
  dns("localhost"),
  ip(127, 0, 0, 1),
  ip(...Array(15).fill(0), 1),
];

/** Every certificate and revocation list of the set, in DER. */
export function certificates(
  keyOf: (name: KeyName) => Bytes,
): Record<string, Bytes> {
  const made: Record<string, Bytes> = {};
  let serial = 0x1000;

  type Changes = Partial<Omit<CertificateSpec, "key" | "signer">>;
  const certificate = (
    id: string,
    [subject, key]: readonly [string | Bytes, KeyName],
    [issuer, signer]: readonly [string | Bytes, KeyName],
    extensions: readonly Bytes[],
    changes: Changes = {},
  ) => {
    made[id] = encodeCertificate({
      subject,
      issuer,
      key: keyOf(key),
      signer: keyOf(signer),
      algorithm: ALGORITHM[signer] ?? "ecdsaSha256",
      serial: serial++,
      extensions: extensions.length > 0
        ? [
          ...extensions,
          extension.subjectKeyId(keyId(keyOf(key))),
          extension.authorityKeyId(keyId(keyOf(signer))),
        ]
        : [],
      ...changes,
    });
  };
  const CA = [basicConstraints(true), keyUsage(5, 6)];
  const root = (
    id: string,
    issuer: readonly [string | Bytes, KeyName],
    changes?: Changes,
  ) => certificate(id, issuer, issuer, CA, changes);
  const LEAF = [
    keyUsage(0),
    extendedKeyUsage(PURPOSE.serverAuth),
    subjectAltName(...SERVER_NAMES),
  ];
  const leaf = (
    id: string,
    key: KeyName,
    issuer: readonly [string | Bytes, KeyName],
    extensions: readonly Bytes[] = LEAF,
    changes?: Changes,
  ) => certificate(id, [`Leaf ${id}`, key], issuer, extensions, changes);
  const named = (...names: Bytes[]) => [
    keyUsage(0),
    extendedKeyUsage(PURPOSE.serverAuth),
    subjectAltName(...names),
  ];

  const ROOT_RSA = ["Test Root RSA", "rootRsa"] as const;
  const ROOT_P384 = ["Test Root P-384", "rootP384"] as const;
  const ROOT_ED = ["Test Root Ed25519", "rootEd25519"] as const;
  const UNKNOWN = ["Unknown Root", "otherRoot"] as const;
  const CA_P256 = ["Test CA P-256", "caP256"] as const;
  const CA_RSA = ["Test CA RSA", "caRsa"] as const;
  const CA_B = ["Test CA B", "caP256B"] as const;

  root("root-rsa", ROOT_RSA);
  root("root-p384", ROOT_P384);
  root("root-ed25519", ROOT_ED);
  root("root-unknown", UNKNOWN);
  root("root-rollover", [ROOT_RSA[0], "otherRoot"]);
  root("root-expired", ["Expired Root", "otherRoot"], {
    notAfter: "2024-01-01T00:00:00Z",
  });
  certificate("ca-p256", CA_P256, ROOT_P384, CA);
  certificate("ca-rsa", CA_RSA, ROOT_RSA, CA);
  certificate("ca-rsa-cross-unknown", CA_RSA, UNKNOWN, CA);
  certificate("ca-rsa-cross-p384", CA_RSA, ROOT_P384, CA);
  certificate("ca-rsa-cross-expired", CA_RSA, ["Expired Root", "otherRoot"], CA);
  certificate("ca-rsa-pss", CA_RSA, ROOT_RSA, CA, { algorithm: "pssSha256" });

  // Leaves of every key type.
  leaf("p256", "p256", CA_P256);
  leaf("p384", "p384", CA_P256);
  leaf("p521", "p521", CA_P256);
  leaf("rsa", "rsa", CA_RSA);
  leaf("rsa-sha512", "rsa", CA_RSA, LEAF, { algorithm: "rsaSha512" });
  leaf("rsa-by-root", "rsa", ROOT_RSA);
  leaf("rsa-by-pss", "rsa", CA_RSA, LEAF, { algorithm: "pssSha384" });
  leaf("rsa-pss", "rsaPss", CA_RSA);
  leaf("ed25519", "ed25519", ROOT_ED);
  leaf("rollover", "p256", [ROOT_RSA[0], "otherRoot"]);

  // Names.
  leaf("wildcard", "p256", CA_P256, named(dns("*.wild.example")));
  leaf("upper-case", "p256", CA_P256, named(dns("SERVER.Example")));
  leaf("a-label", "p256", CA_P256, named(dns("xn--bcher-kva.example")));
  leaf("u-label", "p256", CA_P256, named(dns("b\u00fccher.example")));
  leaf("common-name", "p256", CA_P256, LEAF.slice(0, 2), {
    subject: name(HOST),
  });
  leaf("partial-wildcard", "p256", CA_P256, named(dns("ser*.example")));
  leaf("bare-wildcard", "p256", CA_P256, named(dns("*")));
  leaf("wildcard-inside", "p256", CA_P256, named(dns("a.*.example")));
  leaf("tld-wildcard", "p256", CA_P256, named(dns("*.example")));
  leaf("nul-in-name", "p256", CA_P256, named(dns(`${HOST}\0.evil.example`)));
  leaf("ip-as-dns", "p256", CA_P256, named(dns("127.0.0.1")));
  leaf("dns-as-uri", "p256", CA_P256, named(uri(`https://${HOST}/`)));
  leaf("empty-names", "p256", CA_P256, named());
  leaf("short-ip", "p256", CA_P256, named(ip(127, 0, 1)));

  // Time.
  leaf("expired", "p256", CA_P256, LEAF, { notAfter: "2024-01-01T00:00:00Z" });
  leaf("not-yet", "p256", CA_P256, LEAF, { notBefore: "2100-01-01T00:00:00Z" });
  const EXPIRED_CA = ["Expired CA", "caP256B"] as const;
  certificate("ca-expired", EXPIRED_CA, ROOT_P384, CA, {
    notAfter: "2024-01-01T00:00:00Z",
  });
  leaf("by-expired-ca", "p256", EXPIRED_CA);
  leaf("by-expired-root", "p256", ["Expired Root", "otherRoot"]);

  // Purposes.
  const purposes = (...oids: string[]) => [
    keyUsage(0),
    extendedKeyUsage(...oids),
    subjectAltName(...SERVER_NAMES),
  ];
  leaf("no-purpose", "p256", CA_P256, [LEAF[0]!, LEAF[2]!]);
  leaf("no-usage", "p256", CA_P256, LEAF.slice(1));
  leaf("client-purpose", "p256", CA_P256, purposes(PURPOSE.clientAuth));
  leaf("any-purpose", "p256", CA_P256, purposes(PURPOSE.any));
  leaf(
    "both-purposes",
    "p256",
    CA_P256,
    purposes(PURPOSE.clientAuth, PURPOSE.serverAuth),
  );
  leaf("key-encipherment", "rsa", CA_RSA, [keyUsage(2), ...LEAF.slice(1)]);
  const ca = (
    id: string,
    extensions: readonly Bytes[],
    changes?: Changes,
    key: KeyName = "caP256B",
  ) => {
    const self = [`CA ${id}`, key] as const;
    certificate(`ca-${id}`, self, ROOT_P384, extensions, changes);
    leaf(`by-${id}`, "p256", self);
  };
  ca("client-only", [...CA, extendedKeyUsage(PURPOSE.clientAuth)]);
  ca("any-purpose", [...CA, extendedKeyUsage(PURPOSE.any)]);
  ca("server-only", [...CA, extendedKeyUsage(PURPOSE.serverAuth)]);

  // Certificate authorities that are none.
  ca("no-constraints", [keyUsage(5)]);
  ca("false", [basicConstraints(false), keyUsage(0)]);
  ca("no-cert-sign", [basicConstraints(true), keyUsage(0, 6)]);
  ca("no-usage", [basicConstraints(true)]);
  ca("version-1", [], { version: 1 });
  certificate("ca-path-0", ["CA path 0", "caP256"], ROOT_P384, [
    basicConstraints(true, 0),
    keyUsage(5),
  ]);
  certificate(
    "ca-below-path-0",
    ["CA below path 0", "caP256B"],
    ["CA path 0", "caP256"],
    CA,
  );
  leaf("by-path-0", "p256", ["CA path 0", "caP256"]);
  leaf("below-path-0", "p256", ["CA below path 0", "caP256B"]);
  certificate("leaf-as-ca", ["Leaf p256", "p256"], CA_P256, LEAF);
  leaf("by-leaf", "p384", ["Leaf p256", "p256"], LEAF);

  // Name constraints.
  const permitted = (...names: Bytes[]) => [
    ...CA,
    extension.nameConstraints(names, []),
  ];
  const excluded = (...names: Bytes[]) => [
    ...CA,
    extension.nameConstraints([], names),
  ];
  ca("dns-permitted", permitted(dns("example"), dns("localhost"), ip(127, 0, 0, 0, 255, 0, 0, 0), ip(...Array(32).fill(0))));
  ca("dns-not-permitted", permitted(dns("elsewhere.example"), dns("localhost")));
  ca("dns-dot-permitted", permitted(dns(".server.example"), dns("localhost"), ip(0, 0, 0, 0, 0, 0, 0, 0), ip(...Array(32).fill(0))));
  ca("dns-excluded", excluded(dns(HOST)));
  ca("dns-not-excluded", excluded(dns("erver.example"), dns("a.server.example")));
  ca("ip-not-permitted", permitted(ip(10, 0, 0, 0, 255, 0, 0, 0)));
  ca("ip-excluded", excluded(ip(127, 0, 0, 0, 255, 0, 0, 0)));
  ca("all-dns-excluded", excluded(dns("")));
  ca("mail-permitted", permitted(mail("example")));
  const BY_MAIL = ["CA mail-permitted", "caP256B"] as const;
  leaf("mail-inside", "p256", BY_MAIL, named(dns(HOST), mail("a@example")));
  leaf("mail-outside", "p256", BY_MAIL, named(dns(HOST), mail("a@b.test")));
  const ORGANIZATION = (text: string) => sequence(relativeName(text, 10));
  ca("directory-permitted", permitted(directory(ORGANIZATION("Example"))));
  certificate(
    "in-directory",
    [sequence(relativeName("Example", 10), relativeName("Leaf", 3)), "p256"],
    ["CA directory-permitted", "caP256B"],
    LEAF,
  );
  ca("directory-excluded", excluded(directory(ORGANIZATION("Example"))));
  certificate(
    "in-excluded-directory",
    [sequence(relativeName("Example", 10), relativeName("Leaf", 3)), "p256"],
    ["CA directory-excluded", "caP256B"],
    LEAF,
  );
  const REGISTERED = der(0x88, Uint8Array.of(0x2a, 3, 4));
  ca("registered-id", permitted(REGISTERED));
  leaf(
    "with-registered-id",
    "p256",
    ["CA registered-id", "caP256B"],
    named(dns(HOST), REGISTERED),
  );
  certificate(
    "ca-below-dns-permitted",
    CA_B,
    ["CA dns-not-permitted", "caP256B"],
    permitted(dns(HOST), dns("localhost")),
  );
  leaf("widened", "p256", CA_B);

  // Policies.
  ca("explicit-policy", [...CA, extension.requireExplicitPolicy(0)]);
  ca("policies", [...CA, extension.policies("2.23.140.1.2.1")]);

  // Keys and signatures.
  leaf("rsa-1024", "rsa1024", CA_RSA);
  leaf("k256", "k256", CA_P256);
  ca("rsa-1024", CA, {}, "rsa1024");
  leaf("sha-1", "p256", CA_RSA, LEAF, { algorithm: "rsaSha1" });
  leaf("md5", "p256", CA_RSA, LEAF, { algorithm: "rsaMd5" });
  leaf("p384-sha-256", "p256", ROOT_P384, LEAF, { algorithm: "ecdsaSha256" });
  leaf("outer-algorithm", "p256", CA_RSA, LEAF, { outerAlgorithm: "rsaSha384" });
  leaf("wrong-signer", "p256", [CA_P256[0], "otherRoot"]);
  made["bad-signature"] = flipped(made["p256"]!, -3);
  made["ca-bad-signature"] = flipped(made["ca-p256"]!, -3);
  made["bad-body"] = flipped(made["p256"]!, 60);

  // Extensions and structure.
  const unknown = (critical: boolean) =>
    extension.wrap("1.3.6.1.4.1.99999.1", der(0x05), critical);
  leaf("unknown-critical", "p256", CA_P256, [...LEAF, unknown(true)]);
  leaf("unknown-extension", "p256", CA_P256, [...LEAF, unknown(false)]);
  ca("unknown-critical", [...CA, unknown(true)]);
  leaf("twice", "p256", CA_P256, [...LEAF, LEAF[2]!]);
  leaf("version-1", "p256", CA_P256, [], { version: 1 });
  leaf("version-1-extensions", "p256", CA_P256, LEAF, { version: 1 });
  leaf("version-4", "p256", CA_P256, LEAF, { version: 4 });
  leaf("malformed-names", "p256", CA_P256, [
    ...LEAF.slice(0, 2),
    extension.wrap("2.5.29.17", sequence(der(0x82, utf8(HOST))).subarray(0, -1) as Bytes),
  ]);
  made["trailing-byte"] = concat(made["p256"]!, Uint8Array.of(0));
  made["cut-short"] = made["p256"]!.slice(0, -1);
  made["not-a-certificate"] = sequence(integer(1), objectIdentifier("1.2.3"), bitString(Uint8Array.of(1)));
  made["deep"] = nested(4000);
  leaf("self-signed", "p256", ["Leaf self-signed", "p256"]);

  // Paths: a long one, a loop, and CAs that all have issued each other.
  for (let i = 0; i < 12; i++) {
    const issuer = i === 0 ? ROOT_P384 : [`Long ${i - 1}`, "caP256"] as const;
    certificate(`long-${i}`, [`Long ${i}`, "caP256"], issuer, CA);
  }
  leaf("by-long-7", "p256", ["Long 7", "caP256"]);
  leaf("by-long-11", "p256", ["Long 11", "caP256"]);
  for (const [to, from] of ["ab", "ba"]) {
    certificate(`loop-${to}`, [`Loop ${to}`, "caP256"], [`Loop ${from}`, "caP256"], CA);
  }
  leaf("by-loop", "p256", ["Loop a", "caP256"]);
  for (let i = 0; i < 9; i++) {
    certificate(`tangle-${i}`, ["Tangle", "caP256"], ["Tangle", "caP256"], CA);
  }
  leaf("by-tangle", "p256", ["Tangle", "caP256"]);

  // Revocation.
  const list = (
    [issuer, signer]: readonly [string, KeyName],
    revoked: readonly string[],
    until = "2120-01-01T00:00:00Z",
    extensions: readonly Bytes[] = [],
  ) =>
    encodeCrl(
      issuer,
      keyOf(signer),
      "ecdsaSha256",
      revoked.map((id) => serialOf(made[id]!)),
      ["2026-01-01T00:00:00Z", until],
      extensions,
    );
  made["crl-empty"] = list(CA_P256, []);
  made["crl-p256"] = list(CA_P256, ["p256"]);
  made["crl-p256-stale"] = list(CA_P256, ["p256"], "2026-02-01T00:00:00Z");
  made["crl-p256-forged"] = list([CA_P256[0], "otherRoot"], ["p256"]);
  made["crl-p256-critical"] = list(CA_P256, ["p256"], undefined, [
    unknown(true),
  ]);
  made["crl-p256-extension"] = list(CA_P256, ["p256"], undefined, [
    unknown(false),
  ]);
  made["crl-by-path-0"] = list(["CA path 0", "caP256"], ["by-path-0"]);

  // More name constraints.
  const inWild = (id: string) =>
    leaf(`wildcard-by-${id}`, "p256", [`CA ${id}`, "caP256B"], named(dns("*.wild.example")));
  ca("host-below-wildcard-excluded", excluded(dns("A.wild.example")));
  inWild("host-below-wildcard-excluded");
  ca("deeper-excluded", excluded(dns("b.a.wild.example"), dns(".a.wild.example"), dns("awild.example"), dns("example.wild")));
  inWild("deeper-excluded");
  ca("host-below-wildcard-permitted", permitted(dns("a.wild.example")));
  inWild("host-below-wildcard-permitted");
  for (
    const [id, base] of [
      ["u-label", dns("b\u00fccher.example")],
      ["dot-behind", dns("elsewhere.example.")],
      ["wildcard", dns("*.elsewhere.example")],
      ["empty-label", dns("a..example")],
      ["seven-octets", ip(10, 0, 0, 0, 255, 0, 0)],
      ["prefix-length", ip(10, 0, 0, 0, 8)],
      ["sixteen-octets", ip(...Array(16).fill(0))],
      ["mask-with-gap", ip(10, 0, 0, 0, 255, 0, 255, 0)],
    ] as const
  ) {
    ca(`${id}-permitted`, permitted(base, dns(""), ip(...Array(8).fill(0)), ip(...Array(32).fill(0))));
    ca(`${id}-excluded`, excluded(base));
  }
  return made;
}

/** The key identifier of RFC 7093 §2, method 1. */
function keyId(pkcs8: Bytes): Bytes {
  const hash = createHash("sha256").update(publicKeyOf(pkcs8)).digest();
  return new Uint8Array(hash.subarray(0, 20));
}

/** The two-byte serial number of a certificate of this set. */
function serialOf(certificate: Bytes): number {
  const at = certificate.toHex().indexOf("a003020102") / 2 + 5;
  return certificate[at + 2]! << 8 | certificate[at + 3]!;
}

function flipped(bytes: Bytes, at: number): Bytes {
  const copy = new Uint8Array(bytes);
  copy[at < 0 ? copy.length + at : at]! ^= 1;
  return copy;
}

/** `depth` sequences in each other. */
function nested(depth: number): Bytes {
  let bytes: Bytes = new Uint8Array(0);
  for (let i = 0; i < depth; i++) bytes = sequence(bytes);
  return bytes;
}

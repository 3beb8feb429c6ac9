import {
  boolean,
  type ConfigOf,
  list,
  oneOf,
  section,
  string,
} from "../../src/core/config/mod.ts";
import { type CryptoProvider, Secret } from "../../src/core/crypto/mod.ts";
import { readSecretFile } from "../../src/core/storage/mod.ts";
import { BLOCK_TYPE, bpsec, type Eid } from "../../src/dtn/mod.ts";
import { CliError } from "../_error.ts";

const TARGETS = { primary: 0, payload: BLOCK_TYPE.payload };

const PATTERN = {
  want: 'an endpoint ID, or the beginning of some with "*" behind it',
  pattern: /\*|[a-z]+:[!-)+-~]*\*?/,
} as const;

const pattern = (doc: string) => string({ ...PATTERN, default: "*", doc });

const key = section({
  of: string({
    want: "a node id",
    pattern: /(?:dtn|ipn):[!-~]+/,
    doc: "the node that signs or encrypts with it, ourselves or another",
  }),
  use: oneOf(["integrity", "confidentiality", "wrapping"]),
  file: string({
    doc:
      "mode 0600, the key in hexadecimal: 16 or 32 bytes, for integrity 16 to 64",
  }),
});

const rule = section({
  role: oneOf(["source", "verifier", "acceptor"]),
  service: oneOf(["integrity", "confidentiality"]),
  targets: list<keyof typeof TARGETS>(oneOf(["payload", "primary"]), {
    default: ["payload"],
    maxItems: 2,
  }),
  from: pattern("bundles of which sources"),
  to: pattern("bundles for which destinations"),
  by: string({
    ...PATTERN,
    doc: "who is to have signed or encrypted; by default the bundle's own node",
  }).optional(),
  optional: boolean({
    default: false,
    doc: "let pass what has not the operation",
  }),
  wrap: boolean({
    default: false,
    doc: "as a source, take a fresh key for each operation, wrapped with ours",
  }),
});

/** The section `[security]` of `dtn.toml`. */
export const securitySection = section({
  keys: list(key, {
    default: [],
    maxItems: 4_096,
    doc: "keys shared with other nodes: of, use, file",
  }),
  rules: list(rule, {
    default: [],
    maxItems: 256,
    doc:
      "who must sign, encrypt and verify: role, service, targets, from, to, by, optional, wrap",
  }),
});

/** What `[security]` says. */
export type SecurityConfig = ConfigOf<typeof securitySection>;

const LENGTHS: Readonly<Record<bpsec.SecurityKeyUse, readonly number[]>> = {
  integrity: Array.from({ length: 49 }, (_, i) => 16 + i),
  confidentiality: [16, 32],
  wrapping: [16, 32],
};

/**
 * The policy that `config` says for the node; `undefined` without keys and rules.
 *
 * @throws {CliError} `usage` if a rule cannot be kept, `failed` if a key cannot be read.
 */
export function securityPolicyOf(
  { keys, rules }: SecurityConfig,
  node: Eid,
  crypto: CryptoProvider,
): bpsec.SecurityPolicy | undefined {
  if (keys.length === 0 && rules.length === 0) return undefined;
  const secrets = new Map<string, Secret>();
  for (const { of, use, file } of keys) {
    const name = `${use} ${of}`;
    if (secrets.has(name)) {
      throw new CliError("usage", `security.keys: two for ${use} of ${of}`);
    }
    secrets.set(name, keyIn(file, LENGTHS[use]));
  }
  for (const [i, { role, service, targets, wrap }] of rules.entries()) {
    const use = wrap ? "wrapping" : service;
    if (role === "source" && !secrets.has(`${use} ${node}`)) {
      throw new CliError(
        "usage",
        `security.rules[${i}]: want a key of ${node} for ${use}`,
      );
    }
    if (service === "confidentiality" && targets.includes("primary")) {
      throw new CliError(
        "usage",
        `security.rules[${i}]: the primary block cannot be encrypted`,
      );
    }
  }
  return new bpsec.SecurityPolicy({
    ...{ crypto, node },
    keys: { keyFor: (use, source) => secrets.get(`${use} ${source}`) },
    rules: rules.map((each) => ({
      ...each,
      targets: each.targets.map((target) => TARGETS[target]),
    })),
  });
}

function keyIn(file: string, lengths: readonly number[]): Secret {
  let text;
  try {
    text = readSecretFile(file).trim();
  } catch (cause) {
    throw new CliError("failed", `Cannot read the key in ${file}`, { cause });
  }
  if (!/^(?:[0-9a-fA-F]{2})+$/.test(text)) {
    throw new CliError("failed", `Want a key in hexadecimal in ${file}`);
  }
  const bytes = Uint8Array.fromHex(text);
  if (lengths.includes(bytes.length)) return new Secret(bytes);
  throw new CliError(
    "failed",
    `Want a key of another length in ${file}: got ${bytes.length} bytes`,
  );
}

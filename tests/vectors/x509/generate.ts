/**
 * Makes `x509.json` from the keys in `keys.json`; keys that are missing come from the `openssl` command.
 *
 *     deno run --allow-read --allow-write --allow-run=openssl generate.ts
 *
 * Two runs differ only in the randomness of ECDSA and RSA-PSS signatures.
 *
 * @module
 */
import { certificates, KEY_NAMES } from "./certificates.ts";
import { cases } from "./cases.ts";

const KEYS = new URL("keys.json", import.meta.url);
const OUTPUT = new URL("x509.json", import.meta.url);

const keys: Record<string, string> = await readKeys();
for (const [name, options] of Object.entries(KEY_NAMES)) {
  keys[name] ??= await makeKey(options);
}
await Deno.writeTextFile(KEYS, JSON.stringify(keys, undefined, 1) + "\n");

const made = certificates((name) => Uint8Array.fromBase64(keys[name]!));
const lines = (values: readonly string[]) => `[\n${values.join(",\n")}\n]`;
const entries = Object.entries(made).map(([name, der]) =>
  `${JSON.stringify(name)}:"${der.toBase64()}"`
);
await Deno.writeTextFile(
  OUTPUT,
  `{"certificates":{\n${entries.join(",\n")}\n},\n"cases":${
    lines(cases.map((one) => JSON.stringify(one)))
  }}\n`,
);

async function readKeys(): Promise<Record<string, string>> {
  try {
    return JSON.parse(await Deno.readTextFile(KEYS));
  } catch {
    return {};
  }
}

/** A fresh private key, PKCS #8 in base64. */
async function makeKey(options: readonly string[]): Promise<string> {
  const pem = await openssl(["genpkey", ...options]);
  return pem.replaceAll(/-----[^-]+-----|\s/g, "");
}

async function openssl(args: readonly string[]): Promise<string> {
  const command = new Deno.Command("openssl", { args: [...args] });
  const { stdout, success } = await command.output();
  if (!success) throw new Error(`openssl ${args.join(" ")} failed`);
  return new TextDecoder().decode(stdout);
}

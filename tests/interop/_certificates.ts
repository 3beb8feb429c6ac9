/** The kinds of key that certificates here are for. */
export const KEY_KINDS = ["ecdsa", "rsa", "ed25519"] as const;

/** One of {@link KEY_KINDS}. */
export type KeyKind = typeof KEY_KINDS[number];

/** A server's key and certificates, in PEM files. */
export interface Identity {
  /** The key, PKCS #8. */
  readonly key: string;
  /** The server's certificate for `tls.test`, and that of the authority behind it. */
  readonly chain: string;
  /** That of the authority alone. */
  readonly authority: string;
}

const KEY_ARGS: Record<KeyKind, readonly string[]> = {
  ecdsa: ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
  rsa: ["rsa:2048"],
  ed25519: ["ed25519"],
};

/** Makes an authority, whose certificate lies in `ca.pem`, and an identity of each kind, in `folder`. */
export async function makeIdentities(
  folder: string,
): Promise<Record<KeyKind, Identity>> {
  await openssl(folder, [
    ...["req", "-x509", "-newkey", ...KEY_ARGS.ecdsa, "-nodes", "-days", "7"],
    ...["-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test authority"],
    ...["-addext", "keyUsage=critical,keyCertSign,cRLSign"],
  ]);
  const made = KEY_KINDS.map(async (kind) =>
    [kind, await makeIdentity(folder, kind)] as const
  );
  return Object.fromEntries(await Promise.all(made)) as Record<
    KeyKind,
    Identity
  >;
}

async function makeIdentity(folder: string, kind: KeyKind): Promise<Identity> {
  await openssl(folder, [
    ...["req", "-newkey", ...KEY_ARGS[kind], "-nodes", "-subj", "/CN=tls.test"],
    ...["-keyout", `${kind}.key`, "-out", `${kind}.csr`],
  ]);
  await Deno.writeTextFile(
    `${folder}/${kind}.ext`,
    "subjectAltName=DNS:tls.test\nextendedKeyUsage=serverAuth\nkeyUsage=critical,digitalSignature\nbasicConstraints=critical,CA:FALSE\n",
  );
  await openssl(folder, [
    ...["x509", "-req", "-in", `${kind}.csr`, "-days", "7", "-sha256"],
    ...["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"],
    ...["-CAserial", `${kind}.serial`, "-extfile", `${kind}.ext`],
    ...["-out", `${kind}.pem`],
  ]);
  const chain = `${folder}/${kind}.chain.pem`;
  await Deno.writeTextFile(
    chain,
    await Deno.readTextFile(`${folder}/${kind}.pem`) +
      await Deno.readTextFile(`${folder}/ca.pem`),
  );
  return {
    key: `${folder}/${kind}.key`,
    chain,
    authority: `${folder}/ca.pem`,
  };
}

async function openssl(cwd: string, args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", {
    args: [...args],
    cwd,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

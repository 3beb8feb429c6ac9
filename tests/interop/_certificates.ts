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
  await makeAuthority(folder);
  const made = KEY_KINDS.map(async (kind) =>
    [kind, await makeCertificate(folder, kind, "DNS:tls.test", kind)] as const
  );
  return Object.fromEntries(await Promise.all(made)) as Record<
    KeyKind,
    Identity
  >;
}

/** Makes an authority: `ca.key` and `ca.pem` in `folder`. */
export async function makeAuthority(folder: string): Promise<void> {
  await openssl(folder, [
    ...["req", "-x509", "-newkey", ...KEY_ARGS.ecdsa, "-nodes", "-days", "7"],
    ...["-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test authority"],
    ...["-addext", "keyUsage=critical,keyCertSign,cRLSign"],
  ]);
}

/** Makes a server's certificate for `subjectAltName`, as openssl writes that, by the authority in `folder`, in files called `name`. */
export async function makeCertificate(
  folder: string,
  name: string,
  subjectAltName: string,
  kind: KeyKind = "ecdsa",
): Promise<Identity> {
  await openssl(folder, [
    ...["req", "-newkey", ...KEY_ARGS[kind], "-nodes", "-subj", "/CN=tls.test"],
    ...["-keyout", `${name}.key`, "-out", `${name}.csr`],
  ]);
  await Deno.writeTextFile(
    `${folder}/${name}.ext`,
    `subjectAltName=${subjectAltName}\nextendedKeyUsage=serverAuth\nkeyUsage=critical,digitalSignature\nbasicConstraints=critical,CA:FALSE\n`,
  );
  await openssl(folder, [
    ...["x509", "-req", "-in", `${name}.csr`, "-days", "7", "-sha256"],
    ...["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"],
    ...["-CAserial", `${name}.serial`, "-extfile", `${name}.ext`],
    ...["-out", `${name}.pem`],
  ]);
  const chain = `${folder}/${name}.chain.pem`;
  await Deno.writeTextFile(
    chain,
    await Deno.readTextFile(`${folder}/${name}.pem`) +
      await Deno.readTextFile(`${folder}/ca.pem`),
  );
  return {
    key: `${folder}/${name}.key`,
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

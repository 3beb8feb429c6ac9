import { assertEquals } from "@std/assert";
import { isAvailable } from "./_peers.ts";
import { certificateDer, pem, x509Cases } from "../tls/_certificates.ts";

const TIME_MS = Date.UTC(2026, 5, 1);
const DEFAULT_ROOTS = ["root-rsa", "root-p384", "root-ed25519"];

type Case = (typeof x509Cases)[number];

Deno.test({
  name: "openssl verify agrees on every chain but those explained",
  ignore: !isAvailable("openssl", ["version"], "x509_test"),
  async fn() {
    const directory = await Deno.makeTempDir();
    try {
      const surprises: string[] = [];
      for (const one of x509Cases.filter(({ chain }) => chain.length > 0)) {
        const verdict = await opensslVerdict(directory, one);
        surprises.push(...surprise(one, one.openssl, verdict));
      }
      assertEquals(surprises, []);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});

Deno.test({
  name: "Go's crypto/x509 agrees on every chain but those explained",
  ignore: !isAvailable("go", ["version"], "x509_test"),
  async fn() {
    const cases = x509Cases.filter(({ crls }) => !crls);
    const verdicts = await goVerdicts(cases);
    assertEquals(verdicts.length, cases.length);
    assertEquals(
      cases.flatMap((one, i) => surprise(one, one.go, verdicts[i]!)),
      [],
    );
  },
});

/** What is wrong with `verdict`, `good` or a reason, where `explained` says why it differs from ours. */
function surprise(one: Case, explained: string | undefined, verdict: string) {
  const differs = (verdict === "good") === (one.alert !== undefined);
  return differs === (explained !== undefined)
    ? []
    : [`${one.name}: ${verdict}, explained: ${explained}`];
}

async function opensslVerdict(directory: string, one: Case): Promise<string> {
  const { chain, roots = DEFAULT_ROOTS, host = "server.example" } = one;
  const file = async (
    name: string,
    label: string,
    names: readonly string[],
  ) => {
    const path = `${directory}/${name}.pem`;
    const blocks = names.map((name) => pem(label, certificateDer(name)));
    await Deno.writeTextFile(path, blocks.join(""));
    return path;
  };
  const lists = one.crls
    ? ["-crl_check", "-CRLfile", await file("crls", "X509 CRL", one.crls)]
    : [];
  const isAddress = /^[0-9.]+$|:/.test(host);
  const { code, stdout, stderr } = await new Deno.Command("openssl", {
    args: [
      "verify",
      ...["-no-CApath", "-no-CAstore", "-policy_check"],
      ...["-CAfile", await file("roots", "CERTIFICATE", roots)],
      ...["-untrusted", await file("chain", "CERTIFICATE", chain)],
      ...["-purpose", "sslserver", "-auth_level", "2"],
      ...["-attime", `${TIME_MS / 1000}`],
      ...[isAddress ? "-verify_ip" : "-verify_hostname", host.split("\0")[0]!],
      ...lists,
      await file("server", "CERTIFICATE", chain.slice(0, 1)),
    ],
  }).output();
  const text = new TextDecoder();
  return code === 0 ? "good" : text.decode(stdout) + text.decode(stderr);
}

async function goVerdicts(cases: readonly Case[]): Promise<string[]> {
  const program = new URL("verify_chains.go", import.meta.url).pathname;
  const child = new Deno.Command("go", {
    args: ["run", program],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const questions = cases.map((one) =>
    JSON.stringify({
      Chain: one.chain.map((name) => certificateDer(name).toBase64()),
      Roots: (one.roots ?? DEFAULT_ROOTS)
        .map((name) => certificateDer(name).toBase64()),
      Host: one.host ?? "server.example",
      TimeMs: TIME_MS,
    })
  );
  const writer = child.stdin.getWriter();
  const [{ stdout }] = await Promise.all([
    child.output(),
    writer.write(new TextEncoder().encode(questions.join("\n") + "\n"))
      .then(() => writer.close()),
  ]);
  return new TextDecoder().decode(stdout).trimEnd().split("\n");
}

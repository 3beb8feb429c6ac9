/** What a run of curl gave. */
export interface CurlResult {
  /** Its exit code, 0 for success. */
  readonly code: number;
  /** What it wrote to stdout. */
  readonly stdout: Uint8Array<ArrayBuffer>;
  /** That as text. */
  readonly text: string;
  /** What it complained of. */
  readonly stderr: string;
}

/** How a client can use the proxy at `address`, as arguments of curl. */
export const WAYS: Readonly<Record<string, (address: string) => string[]>> = {
  "SOCKS5": (address) => ["--socks5-hostname", address],
  "HTTP": (address) => ["-x", `http://${address}`],
  "CONNECT": (address) => ["-p", "-x", `http://${address}`],
};

/** Runs curl without its configuration file, for at most two minutes. */
export async function curl(...args: readonly string[]): Promise<CurlResult> {
  const { code, stdout, stderr } = await new Deno.Command("curl", {
    args: ["-q", "-sS", "--max-time", "120", "--noproxy", "", ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout,
    text: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

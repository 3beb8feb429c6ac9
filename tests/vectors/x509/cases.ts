/** Chains to judge. `alert` is that of our refusal, absent if the chain is good. */
export interface Case {
  readonly name: string;
  /** What the server sends: names of certificates. */
  readonly chain: readonly string[];
  /** `root-p384`, `root-rsa` and `root-ed25519` if not given. */
  readonly roots?: readonly string[];
  /** `server.example` if not given. */
  readonly host?: string;
  readonly crls?: readonly string[];
  readonly alert?: string;
  /** Why `openssl verify` or Go's crypto/x509 judge otherwise. */
  readonly openssl?: string;
  readonly go?: string;
}

export const cases: readonly Case[] = [];

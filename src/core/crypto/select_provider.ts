import { checkedProvider, type Primitives } from "./checked.ts";
import { nobleProvider } from "./noble.ts";
import { nodeProvider } from "./node.ts";
import type { CryptoProvider } from "./provider.ts";
import { failedSelfTests, type SelfTestName } from "./known_answers.ts";

/** How one provider did in {@link selectProvider}. */
export interface Trial {
  /** The provider tried, with the checks of {@link checkedProvider}. */
  readonly provider: CryptoProvider;
  /** The primitives that failed {@link failedSelfTests}; such a provider is never chosen. */
  readonly failed: readonly SelfTestName[];
  /** Milliseconds that one benchmark round took; absent if it failed. */
  readonly roundMs?: number;
}

/** The outcome of {@link selectProvider}. */
export interface Selection {
  /** The provider to use. */
  readonly provider: CryptoProvider;
  /** Every provider tried, in order: the candidates, node, and noble if nothing before it passed. */
  readonly trials: readonly Trial[];
}

/** Options of {@link selectProvider}. */
export interface SelectProviderOptions {
  /** Makes what one round does with a provider; the shortest of five rounds counts. Default: what sessions do. */
  readonly work?: (provider: CryptoProvider) => () => void;
  /** Measures a provider that passed; the smallest figure wins. Default: the best of five rounds of 1 to 4 ms. */
  readonly measureMs?: (provider: CryptoProvider) => number;
}

/** The provider to use without a native one: {@link nodeProvider}. */
export function defaultProvider(): CryptoProvider {
  return nodeProvider;
}

/**
 * The fastest of `candidates` and {@link nodeProvider} that passes {@link failedSelfTests}, else
 * {@link nobleProvider}.
 *
 * @throws {Error} If not even that one passes.
 */
export function selectProvider(
  candidates: readonly Primitives[],
  options: SelectProviderOptions = {},
): Selection {
  const { work = sessionWork } = options;
  const { measureMs = (provider) => bestRoundMs(work(provider)) } = options;
  const trials = [...candidates.map(checkedProvider), nodeProvider]
    .map((provider) => tryProvider(provider, measureMs));
  if (!trials.some(passed)) trials.push(tryProvider(nobleProvider, measureMs));
  const [best] = trials.filter(passed)
    .sort((a, b) => a.roundMs! - b.roundMs!);
  if (!best) throw new Error("No crypto provider passes its self-test");
  return { provider: best.provider, trials };
}

function tryProvider(
  provider: CryptoProvider,
  measureMs: (provider: CryptoProvider) => number,
): Trial {
  const failed = failedSelfTests(provider);
  if (failed.length > 0) return { provider, failed };
  return { provider, failed, roundMs: measureMs(provider) };
}

function passed(trial: Trial): boolean {
  return trial.failed.length === 0;
}

function bestRoundMs(round: () => void): number {
  let best = Infinity;
  for (let i = 0; i < 5; i++) {
    const start = performance.now();
    round();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

/** Key agreements, small and large packets, a few hashes. */
function sessionWork(provider: CryptoProvider): () => void {
  const key = provider.random(32);
  const nonce = new Uint8Array(12);
  const packets = [new Uint8Array(256), new Uint8Array(16384)];
  const publicKey = provider.x25519.publicKey(key);
  return () => {
    using chacha = provider.chacha20poly1305(key);
    using aes = provider.aesGcm(key.subarray(16));
    for (let i = 0; i < 4; i++) {
      provider.x25519.sharedSecret(key, publicKey);
      for (const packet of packets) {
        for (const aead of [chacha, aes]) {
          aead.open(nonce, aead.seal(nonce, packet));
        }
      }
      provider.hmac("sha256", key, nonce);
    }
  };
}

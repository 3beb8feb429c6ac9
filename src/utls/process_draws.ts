import type { CryptoProvider } from "../core/crypto/mod.ts";
import { permutation } from "./permutation.ts";
import type { Profile } from "./profile.ts";

/** What one browser process draws once and all its connections share. */
export interface ProcessDraws {
  /** Where the hello's n-th extension comes from among those that move. */
  readonly extensionOrder: readonly number[];
  /** Which identifier of trust_anchors is sent n-th. */
  readonly trustAnchorOrder: readonly number[];
}

/** Draws for a process of the browser of `profile`. */
export function drawProcess(
  { hello }: Profile,
  crypto: CryptoProvider,
): ProcessDraws {
  const moving = hello.extensions.filter(({ rule }) => rule !== "grease");
  const anchors = hello.extensions.find((rule) => rule.rule === "trustAnchors");
  return {
    extensionOrder: hello.extensionOrder === "process"
      ? permutation(crypto, moving.length)
      : [],
    trustAnchorOrder: anchors?.order === "process"
      ? permutation(crypto, anchors.ids.length)
      : [],
  };
}

const drawn = new WeakMap<Profile, ProcessDraws>();

/** The draws of this process for `profile`, made when first asked for. */
export function processDraws(
  profile: Profile,
  crypto: CryptoProvider,
): ProcessDraws {
  const known = drawn.get(profile);
  if (known) return known;
  const draws = drawProcess(profile, crypto);
  drawn.set(profile, draws);
  return draws;
}

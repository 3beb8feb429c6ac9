import type { Clock, VirtualClock } from "../../../src/core/async/mod.ts";
import {
  nodeProvider as crypto,
  Secret,
} from "../../../src/core/crypto/mod.ts";
import { silentLogger } from "../../../src/core/log/mod.ts";
import { memoryStore, type Store } from "../../../src/core/storage/mod.ts";
import type { HttpHandler } from "../../../src/core/transport/mod.ts";
import {
  directory,
  DirectoryError,
  type DocumentTrust,
} from "../../../src/mixnet/mod.ts";
import { DESCRIPTORS, EPOCH_MS, PARAMETERS } from "./_network.ts";

/** The seed of authority `i`. */
export function seedOf(i: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(32).fill(1 + i);
}

/** Its address. */
export function addressOf(i: number): string {
  return `http://authority${i}:80`;
}

/** `count` authorities' keys and a threshold. */
export function trustOf(count: number, threshold: number): DocumentTrust {
  return {
    network: "test",
    threshold,
    authorities: Array.from(
      { length: count },
      (_, i) => crypto.ed25519.publicKey(seedOf(i)),
    ),
  };
}

/** Directories that answer each other by address, without a network; those that are absent do not answer. */
export class Directories {
  readonly handlers = new Map<string, HttpHandler>();

  /** Asks them. */
  readonly ask: directory.DirectoryFetch = async (
    { address, path, body, maxBytes },
    signal,
  ) => {
    signal.throwIfAborted();
    const handler = this.handlers.get(address);
    if (!handler) throw new DirectoryError("unreachable", "It is absent");
    const response = await handler(
      new Request(`${address}${path}`, {
        method: body ? "POST" : "GET",
        ...(body && { body: new Uint8Array(body) }),
      }),
    );
    const bytes = await response.bytes();
    if (bytes.length > maxBytes) {
      throw new DirectoryError("malformed", "Too long");
    }
    return { status: response.status, body: bytes };
  };

  /** Starts authority `i` of `count`. */
  authority(
    i: number,
    trust: DocumentTrust,
    clock: Clock,
    changes: Partial<directory.DirectoryAuthorityOptions> = {},
    store: Store = memoryStore(),
  ): directory.DirectoryAuthority {
    const authority = new directory.DirectoryAuthority({
      crypto,
      clock,
      trust,
      store,
      seed: new Secret(seedOf(i)),
      parameters: PARAMETERS,
      peers: trust.authorities.map((_, j) => addressOf(j)).toSpliced(i, 1),
      ask: this.ask,
      log: silentLogger,
      beacon: () =>
        Promise.resolve(new Map([["drand", new Uint8Array(32).fill(7)]])),
      ...changes,
    });
    this.handlers.set(
      addressOf(i),
      directory.directoryRequests({ authority, clock }),
    );
    return authority;
  }
}

/** How often authorities work. */
export const STEP_MS = EPOCH_MS / 120;

/** Runs `authorities` from now on for `ms`, a step at a time, in turn. */
export async function steps(
  clock: VirtualClock | readonly VirtualClock[],
  authorities: readonly directory.DirectoryAuthority[],
  ms: number,
): Promise<void> {
  const { signal } = new AbortController();
  for (let left = ms; left > 0; left -= STEP_MS) {
    for (const authority of authorities) await authority.step(signal);
    for (const each of [clock].flat()) each.advance(STEP_MS);
  }
}

/** Gives each authority the descriptors. */
export function submitAll(
  authorities: readonly directory.DirectoryAuthority[],
  descriptors: readonly Uint8Array[] = DESCRIPTORS,
): void {
  for (const authority of authorities) {
    for (const descriptor of descriptors) authority.submit(descriptor);
  }
}

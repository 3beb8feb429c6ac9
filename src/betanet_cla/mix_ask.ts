import { type Clock, delay } from "../core/async/mod.ts";
import { type Bytes, DecodeError } from "../core/bytes/mod.ts";
import { cla, ContactError } from "../dtn/mod.ts";
import {
  type MixAddress,
  type MixClient,
  MixClientError,
} from "../mixnet/mod.ts";
import { decodeMixAnswer, type MixAnswer } from "./mix_envelope.ts";

/** What a {@link MixLayer} uses of its client. */
export type MixCarrier = Pick<
  MixClient,
  "address" | "send" | "request" | "stats" | typeof Symbol.asyncIterator
>;

/** Parts and options of {@link askThroughMix}. */
export interface MixAskOptions {
  /** Asks. */
  readonly client: MixCarrier;
  /** Time. */
  readonly clock: Clock;
  /** Whom. */
  readonly to: MixAddress;
  /** How long one attempt may take, in milliseconds. */
  readonly attemptTimeoutMs: number;
  /** How long all attempts together may take, in milliseconds. */
  readonly answerTimeoutMs: number;
  /** Hears how many bytes each attempt sends. */
  readonly onAttempt: (bytes: number) => void;
}

const QUEUE_FULL_PAUSE_MS = 1_000;

/**
 * Sends an envelope until it is answered. The client repeats packets that get lost; an attempt that failed as a whole, as the other
 * side restarted or forgot how to answer, is repeated here.
 *
 * @throws {ContactError} `timeout`, `unreachable` if nothing can be sealed to the address, `violation` if the answer is none,
 *   `disconnected` if the client was closed.
 * @throws The reason of `signal`.
 */
export async function askThroughMix(
  envelope: Bytes,
  options: MixAskOptions,
  signal: AbortSignal,
): Promise<MixAnswer> {
  const { client, clock, to, attemptTimeoutMs, answerTimeoutMs } = options;
  const endMs = clock.now() + answerTimeoutMs;
  for (;;) {
    const leftMs = endMs - clock.now();
    if (leftMs <= 0) {
      throw new ContactError("timeout", "The peer does not answer");
    }
    const deadlineMs = Math.min(attemptTimeoutMs, leftMs);
    try {
      const asking = client.request(to, envelope, { deadlineMs, signal });
      options.onAttempt(envelope.length);
      return decodeMixAnswer(await asking);
    } catch (error) {
      signal.throwIfAborted();
      if (!isPassing(error)) throw mixContactErrorOf(error);
      if (error.code === "queue_full") {
        await delay(clock, Math.min(QUEUE_FULL_PAUSE_MS, leftMs), { signal });
      }
    }
  }
}

/** What a fault of the client or of an answer is to the node. */
export function mixContactErrorOf(cause: unknown): ContactError {
  if (cause instanceof DecodeError) {
    return new ContactError("violation", cause.message, { cause });
  }
  if (cause instanceof RangeError) {
    return new ContactError("unreachable", cause.message, { cause });
  }
  return cla.contactErrorOf(cause);
}

function isPassing(error: unknown): error is MixClientError {
  return error instanceof MixClientError &&
    (error.code === "deadline" || error.code === "queue_full");
}

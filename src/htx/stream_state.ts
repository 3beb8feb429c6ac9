import { ReceiveWindow, SendWindow, type TuningBudget } from "./flow.ts";
import { ReceiveQueue } from "./receive_queue.ts";

/** Smallest weight of a stream. */
export const MIN_WEIGHT = 1;
/** Largest weight of a stream. */
export const MAX_WEIGHT = 256;
/** Weight of a stream unless given. */
export const DEFAULT_WEIGHT = 16;

/** Whoever waits for something to happen to a stream. */
export interface StreamObserver {
  /** All of what was offered has been taken. */
  drained(): void;
  /** Our FIN has been sent. */
  finished(): void;
  /** There is data to read, or the peer ended its side. */
  readable(): void;
  /** Both sides ended (`code` undefined), or a reset ended the stream. */
  ended(code: number | undefined): void;
}

/** What a {@link StreamState} starts from. */
export interface StreamInit {
  /** Its id. */
  readonly id: number;
  /** Its share of the session among streams with data to send, 1 to 256. */
  readonly weight: number;
  /** Bytes we may send before the first WINDOW_UPDATE. */
  readonly sendWindow: number;
  /** Bytes the peer may send before ours. */
  readonly receiveWindow: number;
  /** How large our window may grow. */
  readonly maxReceiveWindow: number;
  /** What its growth is taken from; it does not grow without. */
  readonly budget?: TuningBudget;
}

/** One stream of a {@link Mux}: plain state that the mux moves along. */
export class StreamState {
  /** Odd if the client opened it, even if the server did. */
  readonly id: number;
  /** Its share of the session, 1 to 256. */
  readonly weight: number;
  /** Bytes it may still send in its turn. */
  deficit = 0;
  /** Who waits for it. */
  observer: StreamObserver | undefined;

  /** What we may still send. */
  readonly sendWindow: SendWindow;
  /** What was offered for sending and from where on it is still to be sent. */
  chunk: Uint8Array | undefined;
  /** Bytes of {@link chunk} already taken. */
  chunkOffset = 0;
  /** Whether our side ends after {@link chunk}. */
  finishing = false;
  /** Whether our FIN was sent. */
  finished = false;

  /** What the peer may still send. */
  readonly receiveWindow: ReceiveWindow;
  /** What arrived and was not read. */
  readonly received: ReceiveQueue = new ReceiveQueue();
  /** Whether the peer's FIN arrived. */
  peerFinished = false;
  /** Whether the stream is over, by both FINs or a reset. */
  ended = false;
  /** The code of the reset that ended it. */
  resetCode: number | undefined;
  /** Whether that took back data which was not read. */
  discarded = false;

  /** Starts open both ways. */
  constructor(init: StreamInit) {
    this.id = init.id;
    this.weight = init.weight;
    this.sendWindow = new SendWindow(init.sendWindow);
    this.receiveWindow = new ReceiveWindow(
      init.receiveWindow,
      init.maxReceiveWindow,
      init.budget,
    );
  }

  /** Bytes offered and not taken yet. */
  get pending(): number {
    return this.chunk ? this.chunk.length - this.chunkOffset : 0;
  }

  /** Whether a data frame or a FIN could be sent, the session's window aside. */
  get sendable(): boolean {
    return !this.ended && !this.finished &&
      (this.pending > 0 ? this.sendWindow.credit > 0 : this.finishing);
  }
}

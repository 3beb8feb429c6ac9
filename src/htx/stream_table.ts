import { HtxError } from "./error.ts";
import {
  INITIAL_STREAM_WINDOW,
  tunedWindow,
  type TuningBudget,
} from "./flow.ts";
import type { Parameters } from "./parameters.ts";
import { DEFAULT_WEIGHT, StreamState } from "./stream_state.ts";

/** The open streams of a session, and whose turn each id is (§5.4: odd for the client, even for the server). */
export class StreamTable {
  readonly #streams = new Map<number, StreamState>();
  readonly #maxByUs: number;
  readonly #maxByPeer: number;
  readonly #maxReceiveWindow: number;
  readonly #budget: TuningBudget;
  #nextId: number;
  #nextPeerId: number;
  #openByUs = 0;

  /** Starts with none; `client` tells which end we are, `budget` by how much their windows may grow together. */
  constructor(
    client: boolean,
    local: Parameters,
    remote: Parameters,
    budget: TuningBudget,
  ) {
    this.#budget = budget;
    this.#nextId = client ? 1 : 2;
    this.#nextPeerId = client ? 2 : 1;
    this.#maxByUs = remote.maxStreams;
    this.#maxByPeer = local.maxStreams;
    this.#maxReceiveWindow = tunedWindow(
      INITIAL_STREAM_WINDOW,
      local.maxStreamWindowBytes,
      remote.maxStreamWindowBytes,
    );
  }

  /** How many are open. */
  get size(): number {
    return this.#streams.size;
  }

  /** Whether the peer lets us open another. */
  get canOpen(): boolean {
    return this.#openByUs < this.#maxByUs;
  }

  /** All that are open, as a copy. */
  all(): StreamState[] {
    return [...this.#streams.values()];
  }

  /**
   * Opens one of ours.
   *
   * @throws {HtxError} `limit` unless {@link canOpen}.
   */
  open(weight: number): StreamState {
    if (!this.canOpen) throw new HtxError("limit", "No stream left to open");
    const stream = this.#add(this.#nextId, weight);
    this.#nextId += 2;
    this.#openByUs++;
    return stream;
  }

  /**
   * The stream `id`, `undefined` if it is over.
   *
   * @throws {HtxError} `violation` if nobody opened it.
   */
  get(id: number): StreamState | undefined {
    const stream = this.#streams.get(id);
    if (stream || id < (this.#isOurs(id) ? this.#nextId : this.#nextPeerId)) {
      return stream;
    }
    throw new HtxError("violation", "Frame for a stream nobody opened");
  }

  /** Whether `id` is that of the stream which the peer opens next. */
  isNext(id: number): boolean {
    return id === this.#nextPeerId;
  }

  /**
   * Opens the peer's next stream.
   *
   * @throws {HtxError} `limit` if it has as many open as we offered.
   */
  accept(): StreamState {
    if (this.#streams.size - this.#openByUs >= this.#maxByPeer) {
      throw new HtxError("limit", "Peer opened too many streams");
    }
    const stream = this.#add(this.#nextPeerId, DEFAULT_WEIGHT);
    this.#nextPeerId += 2;
    return stream;
  }

  /** Frees the place of `stream`, which is over; `false` if that was done before. */
  remove(stream: StreamState): boolean {
    if (!this.#streams.delete(stream.id)) return false;
    if (this.#isOurs(stream.id)) this.#openByUs--;
    return true;
  }

  #isOurs(id: number): boolean {
    return id % 2 === this.#nextId % 2;
  }

  #add(id: number, weight: number): StreamState {
    const stream = new StreamState({
      id,
      weight,
      sendWindow: INITIAL_STREAM_WINDOW,
      receiveWindow: INITIAL_STREAM_WINDOW,
      maxReceiveWindow: this.#maxReceiveWindow,
      budget: this.#budget,
    });
    this.#streams.set(id, stream);
    return stream;
  }
}

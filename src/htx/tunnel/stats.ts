import type { Direction, SpliceEnd, SpliceResult } from "../splice.ts";

/** What one end of the tunnel has done so far; a snapshot. */
export interface TunnelStats<Refusal extends string> {
  /** Connections held now, those being refused included. */
  readonly active: number;
  /** Connections accepted. */
  readonly accepted: number;
  /** Bytes passed on towards targets. */
  readonly upBytes: number;
  /** Bytes passed on from targets. */
  readonly downBytes: number;
  /** Tunnels that stood and ended, by the reason. */
  readonly ended: Readonly<Record<SpliceEnd, number>>;
  /** Connections that never became a tunnel, by the reason. */
  readonly refused: Readonly<Record<Refusal, number>>;
}

/** Counts behind a {@link TunnelStats}. */
export class Tally<Refusal extends string> {
  #accepted = 0;
  readonly #moved: Record<Direction, number> = { up: 0, down: 0 };
  readonly #ended: Record<SpliceEnd, number> = {
    finished: 0,
    reset: 0,
    idle: 0,
    aborted: 0,
  };
  readonly #refused: Record<Refusal, number>;

  /** Starts at zero; `refused` lists every reason with a 0. */
  constructor(refused: Readonly<Record<Refusal, 0>>) {
    this.#refused = { ...refused };
  }

  /** Counts a connection that came. */
  accept(): void {
    this.#accepted++;
  }

  /** Counts a refusal. */
  refuse(reason: Refusal): void {
    this.#refused[reason]++;
  }

  /** Counts bytes passed on; fits `SpliceOptions.onBytes`. */
  readonly move = (direction: Direction, byteLength: number): void => {
    this.#moved[direction] += byteLength;
  };

  /** Counts the end of a tunnel. */
  end({ reason }: SpliceResult): void {
    this.#ended[reason]++;
  }

  /** The counts now, as objects of their own. */
  snapshot(active: number): TunnelStats<Refusal> {
    return {
      active,
      accepted: this.#accepted,
      upBytes: this.#moved.up,
      downBytes: this.#moved.down,
      ended: { ...this.#ended },
      refused: { ...this.#refused },
    };
  }
}

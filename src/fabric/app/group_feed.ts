import { FabricError } from "../error.ts";
import type { Group, GroupEvent, Published } from "../group/group.ts";

/** An application that follows a group. */
export interface Follower {
  /** Has a message, of which `done` is to be called once it is done with it; also when another one was first. */
  published(published: Published, done: () => void): void;
  /** Is told what happened. */
  happened(event: GroupEvent): void;
  /** Is told that nothing comes any more. */
  ended(): void;
}

/**
 * What members publish in one group, for the applications of this machine that follow it: each gets all of it, one after the other, and a
 * message counts as handled once one of them is done with it. What comes while nobody follows waits.
 *
 * In a group for votes nothing waits, as ballots must be counted in time whoever looks: applications are shown what comes while they do.
 */
export class GroupFeed implements Disposable {
  readonly #group: Group;
  readonly #followers = new Set<Follower>();
  readonly #watching: Disposable;
  #subscription: Disposable | undefined;
  #current: {
    readonly published: Published;
    readonly done: () => void;
    readonly end: (error: FabricError) => void;
  } | undefined;

  /** Has no follower yet. */
  constructor(group: Group) {
    this.#group = group;
    this.#watching = group.watch((event) => {
      for (const each of [...this.#followers]) each.happened(event);
    });
  }

  /** Lets an application follow from now on; disposing ends it. */
  follow(follower: Follower): Disposable {
    this.#followers.add(follower);
    if (this.#current) {
      follower.published(this.#current.published, this.#current.done);
    }
    const isVote = this.#group.rules.kind === "vote";
    this.#subscription ??= this.#group.subscribe(
      isVote
        ? (each) => this.#show(each, () => {})
        : (each) => this.#give(each),
    );
    return {
      [Symbol.dispose]: () => {
        this.#followers.delete(follower);
        if (this.#followers.size === 0) this.#rest();
      },
    };
  }

  /** Nobody follows any more; a message that nobody is done with waits. */
  [Symbol.dispose](): void {
    this.#watching[Symbol.dispose]();
    for (const each of [...this.#followers]) each.ended();
    this.#followers.clear();
    this.#rest();
  }

  #rest(): void {
    this.#subscription?.[Symbol.dispose]();
    this.#subscription = undefined;
    this.#current?.end(new FabricError("closed", "Nobody follows the group"));
    this.#current = undefined;
  }

  #give(published: Published): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const done = () => {
      if (this.#current?.done === done) this.#current = undefined;
      resolve();
    };
    this.#current = { published, done, end: reject };
    this.#show(published, done);
    return promise;
  }

  #show(published: Published, done: () => void): void {
    // One that is too far behind ends while it is shown something.
    for (const each of [...this.#followers]) each.published(published, done);
  }
}

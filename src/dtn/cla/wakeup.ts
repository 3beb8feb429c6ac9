/** Lets one loop sleep until another part has news for it. */
export class Wakeup {
  #isDue = false;
  #resolve: (() => void) | undefined;

  /** Wakes the sleeper, or spares it the next sleep. */
  wake(): void {
    if (this.#resolve) {
      this.#resolve();
      this.#resolve = undefined;
    } else this.#isDue = true;
  }

  /** Sleeps until woken. One sleeper at a time. */
  async sleep(): Promise<void> {
    if (!this.#isDue) {
      await new Promise<void>((resolve) => this.#resolve = resolve);
    }
    this.#isDue = false;
  }
}

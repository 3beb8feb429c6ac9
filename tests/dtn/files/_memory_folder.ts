import type { Bytes } from "../../../src/core/bytes/mod.ts";
import type { BundleFolder } from "../../../src/dtn/files/bundle_folder.ts";

/** A folder in memory, whose files a test may look into and damage. */
export class MemoryFolder implements BundleFolder {
  readonly files = new Map<string, Bytes>();
  /** Files that may still be written or given another name, as if the disk were full beyond. */
  changesLeft = Infinity;

  names(): Promise<readonly string[]> {
    return Promise.resolve([...this.files.keys()]);
  }

  read(name: string, maxBytes: number): Promise<Bytes | undefined> {
    const bytes = this.files.get(name)!;
    return Promise.resolve(bytes.length > maxBytes ? undefined : bytes);
  }

  async write(name: string, bytes: Uint8Array): Promise<void> {
    await this.#change();
    this.files.set(name, bytes.slice());
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#change();
    this.files.set(to, this.files.get(from)!);
    this.files.delete(from);
  }

  remove(name: string): Promise<void> {
    this.files.delete(name);
    return Promise.resolve();
  }

  #change(): Promise<void> {
    if (this.changesLeft-- > 0) return Promise.resolve();
    return Promise.reject(new Error("The disk is full"));
  }
}

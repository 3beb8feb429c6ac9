import type { Context } from "../_main.ts";
import type { Child } from "./child.ts";

/** Tells the person of something that has worked. */
export function step({ note }: Pick<Context, "note">, line: string): void {
  note(`[ok] ${line}`);
}

/** Tells what processes wrote to stderr, which may explain a failure. */
export function tellWhatTheySaid(
  children: readonly Pick<Child<unknown>, "name" | "said">[],
  { note }: Pick<Context, "note">,
): void {
  for (const { name, said } of children) {
    for (const line of said) note(`${name}: ${line}`);
  }
}

/** Closes `closable` when `signal` aborts, at once if it has, until disposed. */
export function closeOnAbort(
  signal: AbortSignal | undefined,
  closable: { close(): void },
): Disposable {
  const onAbort = () => closable.close();
  if (signal?.aborted) onAbort();
  else signal?.addEventListener("abort", onAbort, { once: true });
  return {
    [Symbol.dispose]: () => signal?.removeEventListener("abort", onAbort),
  };
}

const GRACE = 10_000;

/** Aborted a while after the other signal, with its reason: time for what must not be left half done. */
export function graceAfter(signal: AbortSignal, milliseconds = GRACE): AbortSignal {
  const late = new AbortController();
  const begin = () => setTimeout(() => late.abort(signal.reason), milliseconds).unref();
  if (signal.aborted) begin();
  else signal.addEventListener('abort', begin, { once: true });
  return late.signal;
}

/** How long the event loop may be held at a time, in milliseconds. */
const holdMs = 10

/** Gives the event loop back when it was held long enough; throws the signal's reason when nobody waits any more. */
export function breather(signal: AbortSignal): () => Promise<void> | undefined {
  let since = performance.now()
  return () => {
    if (signal.aborted) throw signal.reason
    if (performance.now() - since < holdMs) return undefined
    return new Promise((resolve) => {
      setImmediate(() => {
        since = performance.now()
        resolve()
      })
    })
  }
}

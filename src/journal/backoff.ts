/** How long to wait between attempts; times in milliseconds. */
export interface Backoff {
  readonly firstMs: number
  /** By how much each wait is longer than the one before. */
  readonly factor: number
  readonly mostMs: number
  /** From 0 to 1: of each wait the second half is left to chance, so that many that failed together do not return together. */
  readonly random: () => number
}

/** How long to wait after so many attempts that failed, counted from 1. */
export function delayAfter(attempts: number, { firstMs, factor, mostMs, random }: Backoff): number {
  const delay = Math.min(mostMs, firstMs * factor ** (attempts - 1))
  return Math.round((delay * (1 + random())) / 2)
}

/** An amount that several draw on, bounded over all of them. */
export interface Budget {
  readonly used: number
  /** Whether there was as much left; then it is taken. */
  take(amount: number): boolean
  give(amount: number): void
}

export function budget(limit: number): Budget {
  let used = 0
  return {
    get used() {
      return used
    },
    take(amount) {
      // A limit that is not a number bounds everything, not nothing.
      if (!(used + amount <= limit)) return false
      used += amount
      return true
    },
    give(amount) {
      used -= amount
    },
  }
}

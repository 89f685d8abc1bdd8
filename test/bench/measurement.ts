/** One benchmark's result: `value` against `floor`, both medians of one interleaved run. */
export interface Measurement {
  readonly bench: string
  readonly unit: string
  readonly value: number
  readonly floor: number
  readonly floorIs: string
  readonly ratio: number
  readonly rssMb: number
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** Runs both in turn so that the machine's moods fall on both, and gives the medians of what they return. */
export async function interleaved(
  rounds: number,
  value: () => number | Promise<number>,
  floor: () => number | Promise<number>,
): Promise<{ readonly value: number; readonly floor: number }> {
  const values: number[] = []
  const floors: number[] = []
  await value()
  await floor()
  for (let round = 0; round < rounds; round++) {
    floors.push(await floor())
    values.push(await value())
  }
  return { value: median(values), floor: median(floors) }
}

export function rssMb(): number {
  return Math.round(process.memoryUsage.rss() / 2 ** 20)
}

/** Seconds a piece of work takes. */
export async function seconds(work: () => unknown): Promise<number> {
  const started = performance.now()
  await work()
  return (performance.now() - started) / 1000
}

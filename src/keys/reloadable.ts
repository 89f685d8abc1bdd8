import { type WatchOptions, watchFiles } from './watch.ts'

export interface ReloadableOptions<T> {
  /**
   * Puts a new value to use, its predecessor still in use by whoever took it. A value that it throws at is as one that
   * could not be loaded.
   */
  readonly onReloaded?: (value: T, previous: T) => void
  /** Told of each load that failed; the value before it stays. Must not throw. */
  readonly onFailed: (error: unknown) => void
  /** Files whose change reloads. */
  readonly watch?: Omit<WatchOptions, 'onChange'> & { readonly paths: readonly string[] }
}

/** A value that can be replaced while it is in use. */
export interface Reloadable<T> {
  /** The value as of now: to be taken once per piece of work, so that the work does not see two. */
  current(): T
  /**
   * Loads anew, never twice at one time: whoever asks during a load gets one that begins after it. Resolves to whether
   * the value was replaced.
   */
  reload(): Promise<boolean>
}

/** Loads for the first time, and again whenever asked to or a watched file changes. Rejects when the first load does. */
export async function reloadable<T>(
  load: () => Promise<T> | T,
  { onReloaded, onFailed, watch }: ReloadableOptions<T>,
): Promise<Reloadable<T>> {
  let changedEarly = false
  let onChange = (): void => {
    changedEarly = true
  }
  // The watch begins first, so that nothing changes between a load and the watch.
  if (watch !== undefined) await watchFiles(watch.paths, { ...watch, onChange: () => onChange() })
  let value = await load()

  async function attempt(): Promise<boolean> {
    const previous = value
    try {
      value = await load()
      onReloaded?.(value, previous)
      return true
    } catch (error) {
      value = previous
      onFailed(error)
      return false
    }
  }

  let waiting: Promise<boolean> | undefined
  let last: Promise<unknown> = Promise.resolve()

  function reload(): Promise<boolean> {
    if (waiting !== undefined) return waiting
    const mine = last.then(() => {
      waiting = undefined
      return attempt()
    })
    waiting = mine
    last = mine
    return mine
  }

  onChange = () => void reload()
  if (changedEarly) onChange()
  return { current: () => value, reload }
}

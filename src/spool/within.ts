import { interrupted } from './failure.ts'

/**
 * Settles as the work does, or rejects with what `interrupted` says as soon as the signal ends; the work then goes on
 * unattended.
 */
export function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(interrupted(signal))
    if (signal.aborted) leave()
    else signal.addEventListener('abort', leave, { once: true })
    const settle = (how: () => void) => {
      signal.removeEventListener('abort', leave)
      how()
    }
    work.then(
      (value) => settle(() => resolve(value)),
      (error: unknown) => settle(() => reject(error)),
    )
  })
}

import type { Clock } from './core/ports.ts'
import type { Events } from './telemetry/events.ts'
import type { Metrics } from './telemetry/metrics.ts'
import { expiries, type NamedCertificate } from './trust/x509/expiry.ts'

/** How often the ends of certificates are looked at. */
const everyMs = 3_600_000

interface Parts {
  readonly clock: Clock
  readonly events: Events
  readonly metrics: Metrics
  /** Ends the watch. */
  readonly signal: AbortSignal
}

/**
 * Keeps the ends of the certificates in the metrics and tells each time one has come 60, 30 or 7 days near its end, or past
 * it; at the start, of whatever is near already. Returns how to look again at once.
 */
export function watchCertificates(
  certificates: () => readonly NamedCertificate[],
  { clock, events, metrics, signal }: Parts,
): () => void {
  const told = new Map<string, string>()
  const look = (): void => {
    for (const { name, notAfter, daysLeft, threshold } of expiries(certificates(), clock.now())) {
      metrics.certificateEnd.set({ certificate: name }, Math.floor(notAfter / 1000))
      const call = `${notAfter} ${threshold}`
      if (threshold !== undefined && told.get(name) !== call) events.certificateEnding({ certificate: name, daysLeft })
      told.set(name, call)
    }
  }
  look()
  const interval = setInterval(look, everyMs)
  interval.unref()
  signal.addEventListener('abort', () => clearInterval(interval), { once: true })
  return look
}

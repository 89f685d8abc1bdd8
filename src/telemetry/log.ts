import { type DestinationStream, type Logger, pino } from 'pino'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** Given to `events` and to nobody else: whoever wants to tell something adds an event. */
export type Log = Logger

export interface LogOptions {
  readonly level?: LogLevel
  /** Standard output when absent. */
  readonly destination?: DestinationStream
}

/**
 * A log of JSON lines, times in ISO 8601 UTC. It redacts nothing: events put in only codes, numbers and names from the
 * configuration.
 */
export function createLog({ level = 'info', destination = pino.destination(1) }: LogOptions = {}): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  )
}

import type { Log, LogOptions } from '../../src/telemetry/log.ts'

/** A line of the log, read. */
export type Told = { readonly event: string } & Readonly<Record<string, unknown>>

/** What the gateways of this process have told, oldest first, where a test has the log replaced by `telling`. */
export const told: Told[] = []

/** The log module with a log that is kept in `told`, everything from `debug` on, whatever the configuration says. */
export function telling<Module extends { readonly createLog: (options?: LogOptions) => Log }>(log: Module): Module {
  const destination = { write: (line: string) => void told.push(JSON.parse(line) as Told) }
  return { ...log, createLog: () => log.createLog({ level: 'debug', destination }) }
}

/** What was told of an event since a place in `told`. */
export function toldOf(event: string, since = 0): readonly Told[] {
  return told.slice(since).filter((line) => line.event === event)
}

/** Why exchanges were refused since a place in `told`, each `kind reason` as the log keeps it. */
export function reasonsSince(since: number): readonly string[] {
  return toldOf('exchange-finished', since).flatMap(({ error }) => {
    const { details } = (error ?? {}) as { details?: { kind?: string; reason?: string; about?: string } }
    return details === undefined ? [] : [`${details.kind ?? 'denied'} ${details.reason ?? details.about}`]
  })
}

import { createHash, randomUUID, X509Certificate } from 'node:crypto'
import { workflowDraft } from './core/federation/workflow.ts'
import type { Clock, PushJournal } from './core/ports.ts'
import { apiApp } from './http/api/app.ts'
import type { ApiParts } from './http/api/endpoint.ts'
import type { Guard } from './http/api/guard.ts'
import { workflowStatusRoute } from './http/api/workflow-status.ts'
import type { Events } from './telemetry/events.ts'
import { readJsonObject } from './trust/jwt/strict-json.ts'

export interface WorkflowStatusParts {
  readonly api: Omit<ApiParts, 'guardOf'>
  readonly journal: PushJournal
  readonly clock: Clock
  readonly events: Events
}

/** Of a status, which is some lines for each event. */
const mostBytes = 256 * 1024

/**
 * The address at which the national FSE 2.0 gateway calls back. The channel alone says who calls (ID_AUTH_CHANNEL_02, ini.md
 * §7.4): whoever `api.identify` knows. What it tells is kept in the journal, each event once.
 */
export function workflowStatusApp({ api, journal, clock, events }: WorkflowStatusParts): ReturnType<typeof apiApp> {
  const route = workflowStatusRoute({
    readObject: readJsonObject,
    async accept({ statuses, digest }, { correlationId }) {
      let taken = 0
      // One after the other: in their order, and what is kept of them is recognised when it is all told again.
      for (const [position, status] of statuses.entries()) {
        const id = randomUUID()
        const received = { id, correlationId, digest, position, receivedAt: clock.now(), hash: sha256 }
        if ('repeats' in (await journal.append(workflowDraft(status, received)))) continue
        taken++
        const { eventType, eventStatus } = status
        events.workflowTold({ correlationId, id, eventType, eventStatus })
      }
      return taken
    },
  })
  return apiApp([route], {
    ...api,
    maxMessageBytes: Math.min(api.maxMessageBytes, mostBytes),
    guardOf: ({ name }) => (name === undefined ? undefined : channelGuard),
  })
}

/** Whoever was recognised by the certificate of the connection needs no token. */
const channelGuard: Guard = {
  schemes: [],
  async authenticate({ certificate }) {
    const { subject, validToDate } = new X509Certificate(certificate)
    return { profile: 'channel', validUntil: validToDate.getTime(), signer: subject, tokens: [] }
  },
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

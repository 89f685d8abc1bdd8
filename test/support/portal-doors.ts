import { readFileSync } from 'node:fs'
import { Agent, fetch as undiciFetch } from 'undici'
import { croceviaClient } from '../../clients/typescript/crocevia.ts'
import { initiatingGateway } from '../../src/core/federation/initiating-gateway.ts'
import type { FederationParts } from '../../src/core/federation/query.ts'
import { retrieveGateway } from '../../src/core/federation/retrieve.ts'
import type { Assertion } from '../../src/core/model/call.ts'
import { accessPolicyOf } from '../../src/core/policy/access.ts'
import type { AuditEvent, Community } from '../../src/core/ports.ts'
import { callerRoute } from '../../src/http/api/caller.ts'
import { documentRoutes } from '../../src/http/api/documents.ts'
import type { ApiParts } from '../../src/http/api/endpoint.ts'
import { federatedQueryRoute } from '../../src/http/api/federated-queries.ts'
import { rateLimit } from '../../src/http/api/rate-limit.ts'
import { referenceApp } from '../../src/http/api/reference.ts'
import { createEvents } from '../../src/telemetry/events.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { readJsonObject } from '../../src/trust/jwt/strict-json.ts'
import { isAuthor } from '../../src/wire/hl7/author.ts'
import { apiServer, identityOf } from './api-server.ts'
import { assertion, clinician, homes } from './builders.ts'
import { handles } from './handles.ts'

export interface PortalSetting {
  readonly communities: readonly Community[]
  /** Whom the tokens make the caller; `none`: they name no user. */
  readonly claims?: Partial<Assertion> | 'none'
  readonly rules?: Partial<FederationParts>
  readonly parts?: Partial<ApiParts>
  readonly heartbeatMs?: number
  readonly ready?: () => Promise<boolean>
}

export const contract = readFileSync(new URL('../../contracts/openapi/gateway.json', import.meta.url), 'utf8')
export const clock = { now: () => Date.now() }

/** The REST face as the gateway has it, before communities of a test; whoever comes has the claims that are told. */
export async function portalDoors({ claims = {}, communities, heartbeatMs, parts = {}, ready, rules }: PortalSetting) {
  const audited: AuditEvent[] = []
  const logged: string[] = []
  const policy = accessPolicyOf({ searches: ['search', 'hiding-chain'] })
  const index = initiatingGateway({ policy, isAuthor, clock, communities, mode: 'everyone', ...rules })
  const retrievals = retrieveGateway({
    ...{ policy, clock, home: homes.tuscany, communities, mostDocuments: 8, index },
    unverified: () => 'deliver',
  })
  const server = await apiServer({
    routes: [
      callerRoute,
      federatedQueryRoute({
        ...{ gateway: index, handles, communities, clock, readObject: readJsonObject },
        ...(heartbeatMs === undefined ? {} : { heartbeatMs }),
      }),
      ...documentRoutes({ gateway: retrievals, handles, makeForm: async () => 'none', clock, deadlineMs: 5_000 }),
    ],
    faces: [() => referenceApp({ contract, ready: ready ?? (async () => true) })],
    rate: rateLimit(1_000, clock),
    identify: ({ fingerprint, subject }) => ({ name: 'portal', home: homes.tuscany, subject, fingerprint }),
    guardOf: () => ({
      schemes: ['Bearer'],
      authenticate: async () => ({
        profile: 'portal',
        ...(claims === 'none' ? {} : { assertion: assertion(claims) }),
        subject: clinician,
        validUntil: 4_102_444_800_000,
        signer: 'jwk:x',
        tokens: [],
      }),
    }),
    audit: { record: async (event) => void audited.push(event) },
    events: createEvents(
      createLog({ level: 'debug', destination: { write: (line: string) => void logged.push(line) } }),
      createMetrics({ process: false }),
    ),
    clock,
    ...parts,
  })
  const client = clientOf(server.port)
  return {
    ...server,
    ...{ audited, client, logged },
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

/** The generated client, as a party that shows its certificate. */
export function clientOf(
  port: number,
  headers: () => Record<string, string> | Promise<Record<string, string>> = () => ({}),
) {
  const agent = new Agent({ connect: identityOf('portal') })
  const fetching = undiciFetch as unknown as (url: string, init: object) => Promise<Response>
  return {
    ...croceviaClient({
      baseUrl: `https://127.0.0.1:${port}`,
      headers,
      fetch: (url, init) => fetching(url, { ...init, dispatcher: agent }),
    }),
    [Symbol.asyncDispose]: () => agent.destroy(),
  }
}

import { createHash, randomUUID } from 'node:crypto'
import { ConfigError, type LoadedConfig } from './config/load.ts'
import { consentRegisterGateway } from './core/federation/consent-register.ts'
import { type ConsentGate, consentGate } from './core/federation/consents.ts'
import { homeCommunityId } from './core/model/identifiers.ts'
import { timestamp } from './core/model/timestamp.ts'
import type { AccessPolicy, Clock, Community, PushJournal } from './core/ports.ts'
import { type Deliveries, pushesTo } from './deliveries.ts'
import { consentRoutes } from './http/api/consents.ts'
import type { ApiRoute } from './http/api/endpoint.ts'
import { readJsonObject } from './trust/jwt/strict-json.ts'
import { formatCx } from './wire/hl7/cx.ts'

/** Who is asked what people have consented to. Throws ConfigError when the community named does not tell. */
export function consentsOf(
  { gateway: { consents, home } }: LoadedConfig['federation'],
  communities: readonly Community[],
  clock: Clock,
): ConsentGate | undefined {
  if (consents === undefined) return undefined
  const { source: name, maxAgeMs, exempt, purposes, pastBefore } = consents
  const source = communities.find((one) => one.name === name)?.consents
  if (source === undefined) {
    throw new ConfigError([{ path: 'gateway.consents.source', message: 'names a community that tells no consents' }])
  }
  const options = { exempt, purposes, ...(pastBefore === undefined ? {} : { pastBefore: timestamp(pastBefore) }) }
  return consentGate({ source, home: homeCommunityId(home), clock, options, maxAgeMs })
}

export interface ConsentRegisterParts {
  readonly own: Community
  readonly communities: readonly Community[]
  readonly journal: PushJournal
  readonly deliveries: Deliveries
  readonly policy: AccessPolicy
  readonly clock: Clock
}

/** How portals read and set consents; nothing, where no community keeps them. */
export function consentApi({
  own,
  communities,
  journal,
  deliveries,
  policy,
  clock,
}: ConsentRegisterParts): readonly ApiRoute[] {
  const register = communities.find(({ consentRegister }) => consentRegister !== undefined)?.consentRegister
  if (register === undefined) return []
  const gateway = consentRegisterGateway({
    ...{ register, policy, journal, clock, newId: randomUUID, spell: formatCx, onJournaled: deliveries.wake },
    hash: (text) => createHash('sha256').update(text).digest('hex'),
    ...(own.notifications === undefined ? {} : { deliverAs: pushesTo(own) }),
  })
  return consentRoutes({ gateway, readObject: readJsonObject })
}

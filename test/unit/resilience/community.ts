import { type ErrorCode, GatewayError } from '../../../src/core/errors.ts'
import { nothingFound, type QueryAnswer } from '../../../src/core/model/answers.ts'
import type { AuthorizedCall } from '../../../src/core/model/call.ts'
import { correlationId, homeCommunityId } from '../../../src/core/model/identifiers.ts'
import { authorities, patientId } from '../../../src/core/model/patient.ts'
import type { StoredQuery } from '../../../src/core/model/stored-query.ts'
import type { Community } from '../../../src/core/ports.ts'
import type { GuardOptions } from '../../../src/resilience/guard.ts'
import { type GuardedCommunity, guarded } from '../../../src/resilience/guarded.ts'
import type { GuardEvents } from '../../../src/resilience/health.ts'

export const home = homeCommunityId('2.16.840.1.113883.2.9.2.50')
export const query: StoredQuery = { type: 'GetAssociations', ids: ['urn:uuid:1'], home, extra: [] }
export const person = patientId('RSSMRA85T10A562S', authorities.codiceFiscale)
export const options: GuardOptions = {
  timeoutMs: 1_000,
  concurrency: 2,
  openAtErrorPercent: 50,
  minimumCalls: 4,
  resetMs: 5_000,
}

export type Ask = (call: AuthorizedCall) => Promise<QueryAnswer>

export function callOf(more: Partial<AuthorizedCall> = {}): AuthorizedCall {
  return {
    correlationId: correlationId('c-1'),
    signal: new AbortController().signal,
    deadline: Date.now() + 20_000,
    peer: { subject: 'CN=portal', fingerprint: '00' },
    assertion: {
      id: '_1',
      issuer: '090',
      community: home,
      subject: 'RSSMRA85T10A562S',
      role: 'AAS',
      purposeOfUse: 'TREATMENT',
      action: 'READ',
      organization: '090101',
      validUntil: Date.now() + 60_000,
      signer: 'CN=signer',
      evidence: { kind: 'saml', digest: '00' },
    },
    permit: { partition: 'a', viewer: { role: 'AAS', purposeOfUse: 'TREATMENT', subject: 'x' } },
    ...more,
  }
}

export function communityOf(ask: Ask, more: Partial<Community> = {}): Community {
  return {
    home,
    name: 'region-050',
    relation: 'partner',
    identifiers: 'active',
    reaches: [],
    registry: { query: (_query, call) => ask(call) },
    [Symbol.asyncDispose]: () => Promise.resolve(),
    ...more,
  }
}

export const guardOf = (ask: Ask, more: Partial<GuardOptions> = {}, events?: GuardEvents): GuardedCommunity =>
  guarded(communityOf(ask), { ...options, ...more }, events)

export function ask(community: Community, call = callOf()): Promise<QueryAnswer> {
  if (community.registry === undefined) throw new Error('no registry')
  return community.registry.query(query, call)
}

/** How a question ends: `answered`, or the code of its failure. */
export async function ending(asked: Promise<unknown>): Promise<'answered' | ErrorCode> {
  try {
    await asked
    return 'answered'
  } catch (error) {
    if (error instanceof GatewayError) return error.code
    throw error
  }
}

export const answers: Ask = () => Promise.resolve(nothingFound)
export const never: Ask = () => new Promise(() => undefined)
export const failing =
  (code: ErrorCode): Ask =>
  () =>
    Promise.reject(new GatewayError(code, 'as told'))
/** An adapter that ends when it is told to. */
export const obedient: Ask = ({ signal }) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new GatewayError('community-timeout', 'told to end')))
  })

export async function fail(community: Community, times: number): Promise<void> {
  for (let index = 0; index < times; index++) await ending(ask(community))
}

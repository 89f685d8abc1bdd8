import { describe, expect, it } from 'vitest'
import type { ConsentRegisterGateway } from '../../../../src/core/federation/consent-register.ts'
import type { AuthenticatedCall } from '../../../../src/core/model/call.ts'
import type { ConsentSet } from '../../../../src/core/model/consents.ts'
import { consentRoutes } from '../../../../src/http/api/consents.ts'
import type { Account, ApiCall } from '../../../../src/http/api/endpoint.ts'
import { readJsonObject } from '../../../../src/trust/jwt/strict-json.ts'
import { authenticated, citizen, homes, otherCitizen } from '../../../support/builders.ts'

interface Seen {
  readonly sets: ConsentSet[]
  readonly noted: Account[]
}

/** Calls a route of a register that knows two consents; what it was given is kept. */
async function ask(
  path: '/api/v1/consents' | '/api/v1/consents/query',
  body: unknown,
  more: { user?: boolean; type?: string } = {},
) {
  const seen: Seen = { sets: [], noted: [] }
  const gateway: ConsentRegisterGateway = {
    state: async (_patient, _caller: AuthenticatedCall) => ({
      consents: [{ name: 'C2', given: true, date: '20260101' }],
      disclosure: '090^1',
    }),
    async register(set) {
      seen.sets.push(set)
      return { assistedBy: homes.tuscany, repeated: false }
    },
  }
  const route = consentRoutes({ gateway, readObject: readJsonObject }).find((one) => one.path === path)
  if (route === undefined) throw new Error('no such route')
  const { assertion, ...exchange } = authenticated({ role: 'OGC', purposeOfUse: 'CONSENT', action: 'UPDATE' })
  const call = {
    ...exchange,
    held: new AsyncDisposableStack(),
    caller: { profile: 'portal', tokens: [], ...(more.user === false ? {} : { assertion }) },
    request: {
      method: 'POST',
      target: path,
      headers: [['content-type', more.type ?? 'application/json']],
      body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
    },
    parameters: {},
    note: (account: Account) => void seen.noted.push(account),
  } as unknown as ApiCall
  return { answer: await route.handle(call), seen }
}

const patient = { value: citizen.value, authority: citizen.authority }
const set = {
  patient,
  disclosure: '090^1',
  consents: [
    { name: 'C1', given: true },
    { name: 'C2', given: false },
  ],
}

describe('consents by REST', () => {
  it('are told with the notice they were given on', async () => {
    const { answer, seen } = await ask('/api/v1/consents/query', { patient })
    expect(answer).toEqual({
      body: {
        consents: [{ name: 'C2', given: true, date: '20260101' }],
        disclosure: '090^1',
        currentDisclosure: null,
      },
    })
    expect(seen.noted).toEqual([{ patientId: citizen, request: 'ConsentQuery' }])
  })

  it('are set in the name of the token’s user, for the person themselves unless somebody else asks', async () => {
    const { answer, seen } = await ask('/api/v1/consents', set)
    expect(answer).toEqual({ body: { repeated: false, assistedBy: homes.tuscany } })
    expect(seen.sets).toMatchObject([
      { patientId: citizen, requestor: citizen, operatorRole: 'OGC', disclosure: '090^1' },
    ])
    const parent = { value: otherCitizen.value, authority: otherCitizen.authority }
    expect((await ask('/api/v1/consents', { ...set, requestor: parent })).seen.sets[0]?.requestor).toEqual(otherCitizen)
  })

  it.each<[string, unknown]>([
    ['no patient', { ...set, patient: undefined }],
    ['no notice', { ...set, disclosure: undefined }],
    ['no list', { ...set, consents: 'C1' }],
    ['too many', { ...set, consents: Array.from({ length: 17 }, () => ({ name: 'C1', given: true })) }],
    ['a consent without a value', { ...set, consents: [{ name: 'C1' }] }],
    ['a value that is none', { ...set, consents: [{ name: 'C1', given: 'true' }] }],
    ['a member nobody knows', { ...set, operator: 'somebody else' }],
    ['a member that stands twice', '{"patient":{},"patient":{}}'],
  ])('are refused with %s', async (_, body) => {
    await expect(ask('/api/v1/consents', body)).rejects.toMatchObject({ code: 'request-malformed' })
  })

  it('are refused for a code that can be nobody’s, for another type of body, and without a user', async () => {
    const wrong = { ...set, patient: { ...patient, value: 'ABC' } }
    await expect(ask('/api/v1/consents', wrong)).rejects.toMatchObject({ code: 'parameter-invalid' })
    await expect(ask('/api/v1/consents', set, { type: 'text/json' })).rejects.toMatchObject({
      code: 'media-type-unsupported',
    })
    await expect(ask('/api/v1/consents', set, { user: false })).rejects.toMatchObject({ code: 'access-denied' })
  })
})

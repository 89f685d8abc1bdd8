import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../../src/core/errors.ts'
import { type ConsentGateParts, consentGate } from '../../../../src/core/federation/consents.ts'
import type { Assertion } from '../../../../src/core/model/call.ts'
import type { Consent } from '../../../../src/core/model/change.ts'
import { onlyIdentifier } from '../../../../src/core/model/patient.ts'
import { timestamp } from '../../../../src/core/model/timestamp.ts'
import { accessPolicyOf } from '../../../../src/core/policy/access.ts'
import type { ConsentSource, KnownPatient } from '../../../../src/core/ports.ts'
import {
  authenticated,
  citizen,
  findDocuments,
  homes,
  known,
  otherCitizen,
  stoppedClock,
} from '../../../support/builders.ts'

const consent = (name: string, given = true): Consent => ({ name, given })
const whole = [consent('C2'), consent('C3')]
const ours = known({ assistedBy: homes.tuscany })

const call = (claims: Partial<Assertion> = {}, more: Parameters<typeof authenticated>[1] = {}) =>
  accessPolicyOf({ searches: ['search', 'hiding-chain'] }).authorize(findDocuments(), authenticated(claims, more))

/** A source that keeps whom it was asked about. */
function asking(tell: () => readonly Consent[] | undefined | Promise<never>, more: Partial<ConsentGateParts> = {}) {
  const asked: string[] = []
  const source: ConsentSource = {
    consents: async ({ active }) => {
      asked.push(active.value)
      return await tell()
    },
  }
  return { asked, gate: consentGate({ source, home: homes.tuscany, clock: stoppedClock, ...more }) }
}

describe('the gate before a record', () => {
  it('lets through whom the patient has consented to', async () => {
    const { gate } = asking(() => whole)
    const asked = call()
    expect(await gate.narrowed(asked, ours, 1)).toEqual(asked)
  })

  it('hides the past that the patient opposes, and shows authors their own for lack of consent', async () => {
    const options = { pastBefore: timestamp('20200519') }
    const { gate } = asking(() => [consent('C2'), consent('C4')], { options })
    expect((await gate.narrowed(call(), ours, 1)).permit).toEqual({ ...call().permit, hiddenBefore: '20200519' })
    const without = asking(() => [])
    const updating = call({ purposeOfUse: 'UPDATE' })
    expect((await without.gate.narrowed(updating, ours, 1)).permit).toEqual({ ...updating.permit, authoredOnly: true })
  })

  it.each([
    ['says no', [consent('C2', false)]],
    ['says nothing', []],
    ['does not know the patient', undefined],
  ])('refuses when the source of truth %s', async (_what, consents) => {
    await expect(asking(() => consents).gate.narrowed(call(), ours, 1)).rejects.toMatchObject({
      code: 'access-denied',
      details: { about: 'consent' },
    })
  })

  it.each<[string, () => Promise<never>]>([
    ['fails', () => Promise.reject(new GatewayError('community-timeout', 'late'))],
    ['refuses', () => Promise.reject(new GatewayError('community-rejected', 'no'))],
    ['fails by a mistake', () => Promise.reject(new TypeError('ours'))],
    ['is deaf', () => new Promise(() => undefined)],
  ])('is closed when the source %s, and says what can be done', async (_what, tell) => {
    const { gate } = asking(tell)
    const late = call({}, { deadline: stoppedClock.now() + 20 })
    await expect(gate.narrowed(late, ours, 1)).rejects.toMatchObject({
      code: 'community-unavailable',
      message: expect.stringContaining('consents of the patient cannot be had now'),
      details: { reason: 'consents-unknown' },
    })
  })

  it('does not hold a caller who leaves', async () => {
    const caller = new AbortController()
    const { gate } = asking(() => new Promise(() => undefined))
    const leaving = gate.narrowed(call({}, { signal: caller.signal }), ours, 1)
    caller.abort()
    await expect(leaving).rejects.toMatchObject({ code: 'caller-gone' })
  })

  it('is there for those we assist, and for those of whom that is not known', async () => {
    const { asked, gate } = asking(() => whole)
    for (const assistedBy of [homes.veneto, 'none'] as const) await gate.narrowed(call(), known({ assistedBy }), 1)
    expect(asked).toEqual([])
    await gate.narrowed(call(), known(), 1)
    await gate.narrowed(call(), ours, 2)
    expect(asked).toHaveLength(2)
  })

  it.each([
    ['citizens', { role: 'ASS', purposeOfUse: 'PERSONAL', subject: `${citizen.value}^^^&${citizen.authority}&ISO` }],
    ['representatives', { role: 'GEN', purposeOfUse: 'PERSONAL' }],
    ['the gateway', { role: 'GTW', purposeOfUse: 'UPDATE' }],
    ['INI', { role: 'INI', purposeOfUse: 'SYSADMIN' }],
  ])('is open to %s: nobody is asked', async (_who, claims) => {
    const { asked, gate } = asking(() => [])
    const open = call(claims)
    expect(await gate.narrowed(open, ours, 1)).toBe(open)
    expect(asked).toEqual([])
  })
})

describe('consents that were told', () => {
  const passing = () => {
    let now = 1_000_000
    return { now: () => now, pass: (ms: number) => (now += ms) }
  }

  it('are relied on for a while', async () => {
    const clock = passing()
    const { asked, gate } = asking(() => whole, { clock, maxAgeMs: 1_000 })
    const go = () => gate.narrowed(call({}, { deadline: clock.now() + 5_000 }), ours, 1)
    await go()
    clock.pass(999)
    await go()
    expect(asked).toHaveLength(1)
    clock.pass(1)
    await go()
    expect(asked).toHaveLength(2)
  })

  it('are asked for again once something was pushed, and those from before count no more', async () => {
    let consents: readonly Consent[] = whole
    const { asked, gate } = asking(() => consents)
    await gate.narrowed(call(), ours, 1)
    consents = []
    await gate.narrowed(call(), ours, 1)
    await expect(gate.narrowed(call(), ours, 2)).rejects.toMatchObject({ code: 'access-denied' })
    expect(asked).toHaveLength(2)
  })

  it('are one person’s, and not another’s', async () => {
    const { asked, gate } = asking(() => whole)
    const other: KnownPatient = { patient: onlyIdentifier(otherCitizen), assistedBy: homes.tuscany }
    await gate.narrowed(call(), ours, 1)
    await gate.narrowed(call(), other, 1)
    expect(asked).toEqual([citizen.value, otherCitizen.value])
  })

  it('are not remembered when they could not be had', async () => {
    let fails = true
    const { gate } = asking(() => (fails ? Promise.reject(new GatewayError('community-busy', 'no')) : whole))
    await expect(gate.narrowed(call(), ours, 1)).rejects.toMatchObject({ code: 'community-unavailable' })
    fails = false
    await expect(gate.narrowed(call(), ours, 1)).resolves.toBeDefined()
  })

  it('are forgotten, the oldest first, beyond the bound', async () => {
    const { asked, gate } = asking(() => whole, { most: 2 })
    for (const generation of [1, 2, 3, 3, 2, 1]) await gate.narrowed(call(), ours, generation)
    expect(asked).toHaveLength(4)
  })
})

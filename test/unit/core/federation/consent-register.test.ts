import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../../src/core/errors.ts'
import { consentRegisterGateway } from '../../../../src/core/federation/consent-register.ts'
import type { Assertion } from '../../../../src/core/model/call.ts'
import type { Consent } from '../../../../src/core/model/change.ts'
import type { ConsentSet, ConsentState } from '../../../../src/core/model/consents.ts'
import { accessPolicy } from '../../../../src/core/policy/access.ts'
import type { ConsentRegister } from '../../../../src/core/ports.ts'
import { formatCx } from '../../../../src/wire/hl7/cx.ts'
import { assertion, authenticated, citizen, homes, otherCitizen } from '../../../support/builders.ts'
import { memoryJournal } from '../../../support/push-journal.ts'

const operator = assertion().subjectId ?? otherCitizen
const consents = (c2: boolean): readonly Consent[] => [
  { name: 'C1', given: true, date: '2026-05-19' },
  { name: 'C2', given: c2, date: '2026-05-19' },
]
const set: ConsentSet = {
  ...{
    patientId: citizen,
    operator,
    operatorRole: 'OGC',
    requestor: citizen,
    consents: consents(false),
    disclosure: '1',
  },
}
const claims: Partial<Assertion> = { role: 'OGC', purposeOfUse: 'CONSENT', action: 'UPDATE' }
const now = 1_000_000

interface Wishes {
  /** What comes of sending; `taken` after all, or not. */
  readonly sending?: () => Promise<unknown>
  readonly taken?: boolean
  /** What comes of the second question for what is in force. */
  readonly readingBack?: () => Promise<unknown>
  readonly before?: ConsentState
  readonly managed?: readonly string[]
  readonly deliverAs?: string
}

function register(wishes: Wishes = {}) {
  const { sending = async () => undefined, taken = true, readingBack = async () => undefined, ...more } = wishes
  const done: string[] = []
  let state: ConsentState = wishes.before ?? { consents: consents(true) }
  let asked = 0
  const port: ConsentRegister = {
    ...(more.managed ? { managed: more.managed } : {}),
    async state() {
      done.push('state')
      if (++asked > 1) await readingBack()
      return state
    },
    async register(wanted) {
      done.push('register')
      if (taken) state = { consents: wanted.consents, disclosure: wanted.disclosure }
      await sending()
      return { assistedBy: homes.tuscany }
    },
  }
  const journal = memoryJournal()
  let journaled = 0
  const gateway = consentRegisterGateway({
    ...{ register: port, policy: accessPolicy, journal, clock: { now: () => now }, spell: formatCx },
    newId: () => `id-${journal.pushes.length}`,
    hash: (text) => createHash('sha256').update(text).digest('hex'),
    ...(more.deliverAs ? { deliverAs: more.deliverAs } : {}),
    onJournaled: () => void journaled++,
  })
  return { gateway, done, journal, wakes: () => journaled }
}

const call = (more: Partial<Assertion> = {}, deadlineMs = 10_000) =>
  authenticated({ ...claims, ...more }, { deadline: now + deadlineMs })
const failing = (code: ConstructorParameters<typeof GatewayError>[0]) => () =>
  Promise.reject(new GatewayError(code, code))

describe('setting consents', () => {
  it('reads what is in force, sets, and writes down what changes', async () => {
    const { gateway, done, journal, wakes } = register()
    expect(await gateway.register(set, call())).toEqual({ assistedBy: homes.tuscany, repeated: false })
    expect(done).toEqual(['state', 'register'])
    expect(journal.pushes).toMatchObject([
      {
        transaction: 'RegisterConsentSet',
        state: 'kept',
        patients: [citizen],
        pushed: {
          kind: 'notification',
          notification: {
            type: 'consents-changed',
            patientId: citizen,
            organization: '090',
            operator: formatCx(operator),
            operatorRole: 'OGC',
            requestor: formatCx(citizen),
            disclosure: '1',
            consents: set.consents,
          },
        },
      },
    ])
    expect(wakes()).toBe(1)
  })

  it('ends what was remembered of the person’s consents, and tells our record where it listens', async () => {
    const { gateway, journal } = register({ deliverAs: 'push:tuscany' })
    const { generation } = await journal.about([citizen])
    await gateway.register(set, call())
    expect((await journal.about([citizen])).generation).toBeGreaterThan(generation)
    expect(journal.pushes).toMatchObject([{ state: 'pending' }])
  })

  it('sets nothing twice: what is in force already is written down, and no more', async () => {
    const { gateway, done, journal } = register({ before: { consents: consents(false), disclosure: '1' } })
    expect(await gateway.register(set, call())).toEqual({ repeated: true })
    expect(done).toEqual(['state'])
    expect(journal.pushes).toHaveLength(1)
  })

  it('judges before it sends, with INI’s own code', async () => {
    const { gateway, done, journal } = register({ managed: ['C1', 'C2', 'C3'] })
    await expect(gateway.register(set, call())).rejects.toMatchObject({
      code: 'parameter-count',
      issues: [{ code: 'AU1' }],
    })
    expect(done).toEqual(['state'])
    expect(journal.pushes).toEqual([])
  })

  it.each(['community-rejected', 'parameter-invalid', 'access-denied'] as const)(
    'passes on %s, after which nothing was set, and writes nothing down',
    async (code) => {
      const { gateway, done, journal } = register({ sending: failing(code), taken: false })
      await expect(gateway.register(set, call())).rejects.toMatchObject({ code })
      expect(done).toEqual(['state', 'register'])
      expect(journal.pushes).toEqual([])
    },
  )

  it.each(['community-timeout', 'community-unavailable', 'community-misbehaved'] as const)(
    'reads back what became of it after %s, and has succeeded when it is in force',
    async (code) => {
      const { gateway, done, journal } = register({ sending: failing(code) })
      expect(await gateway.register(set, call())).toEqual({ repeated: false })
      expect(done).toEqual(['state', 'register', 'state'])
      expect(journal.pushes).toHaveLength(1)
    },
  )

  it('says that it may be sent again when it is not in force after all', async () => {
    const { gateway, done, journal } = register({
      sending: failing('community-unavailable'),
      taken: false,
      deliverAs: 'x',
    })
    await expect(gateway.register(set, call())).rejects.toMatchObject({
      code: 'community-unavailable',
      details: { reason: 'consents-not-in-force' },
    })
    expect(done.filter((one) => one === 'register')).toHaveLength(1)
    // What INI told last, for nobody but whoever remembers something else.
    expect(journal.pushes).toMatchObject([{ state: 'kept', pushed: { notification: { consents: consents(true) } } }])
  })

  it('says that nobody knows when it cannot be read back, and the next attempt sends nothing that is in force', async () => {
    let down = true
    const readingBack = async () => {
      if (down) throw new GatewayError('community-unavailable', 'down')
    }
    const { gateway, done, journal } = register({ sending: failing('community-timeout'), readingBack })
    await expect(gateway.register(set, call())).rejects.toMatchObject({
      code: 'community-timeout',
      details: { reason: 'consents-unknown' },
    })
    expect(journal.pushes).toHaveLength(1)
    down = false
    expect(await gateway.register(set, call())).toEqual({ repeated: true })
    expect(done.filter((one) => one === 'register')).toHaveLength(1)
  })

  it('that cannot be written down are found in force, and written down, by the next attempt', async () => {
    const { gateway, done, journal } = register()
    const { append } = journal
    journal.append = failing('overloaded')
    await expect(gateway.register(set, call())).rejects.toMatchObject({ code: 'overloaded' })
    journal.append = append
    expect(await gateway.register(set, call())).toEqual({ repeated: true })
    expect(done.filter((one) => one === 'register')).toHaveLength(1)
    expect(journal.pushes).toHaveLength(1)
  })

  it('keeps time for reading back from an answer that never comes', async () => {
    const { gateway, done } = register({ sending: () => new Promise(() => undefined) })
    expect(await gateway.register(set, call({}, 300))).toEqual({ repeated: false })
    expect(done).toEqual(['state', 'register', 'state'])
  })

  it('is seen through though the caller leaves, and does not begin once they have left', async () => {
    const leaving = new AbortController()
    const { gateway, journal } = register({ sending: async () => leaving.abort() })
    const caller = { ...call(), signal: leaving.signal }
    expect(await gateway.register(set, caller)).toMatchObject({ repeated: false })
    expect(journal.pushes).toHaveLength(1)
    await expect(gateway.register({ ...set, disclosure: '2' }, caller)).rejects.toMatchObject({ code: 'caller-gone' })
  })
})

describe('who may set consents', () => {
  it.each<[string, Partial<Assertion>]>([
    ['a role that has no right to', { role: 'AAS' }],
    ['another purpose', { purposeOfUse: 'TREATMENT' }],
    ['an assertion that is for reading', { action: 'READ' }],
    ['an assertion about another patient', { patientId: otherCitizen }],
    ['another subject than the operator', { subject: formatCx(otherCitizen), subjectId: otherCitizen }],
    ['another role than the operator’s', { role: 'ASS', subject: formatCx(operator), patientId: citizen }],
  ])('is not %s', async (_what, more) => {
    const { gateway, done } = register()
    await expect(gateway.register(set, call(more))).rejects.toMatchObject({ code: 'access-denied' })
    expect(done).toEqual([])
  })

  it('is not who claims no action at all', async () => {
    const { action: _action, ...silent } = call().assertion
    const { gateway, done } = register()
    await expect(gateway.register(set, { ...call(), assertion: silent })).rejects.toMatchObject({
      code: 'access-denied',
    })
    expect(done).toEqual([])
  })

  it('may also look at them, by an assertion that is for reading', async () => {
    const { gateway } = register()
    expect(await gateway.state(citizen, call({ action: 'READ' }))).toEqual({ consents: consents(true) })
    await expect(gateway.state(otherCitizen, call())).rejects.toMatchObject({ code: 'access-denied' })
    await expect(gateway.state(citizen, call({ role: 'AAS' }))).rejects.toMatchObject({ code: 'access-denied' })
  })
})

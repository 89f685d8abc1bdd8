import { describe, expect, it } from 'vitest'
import { createdSession, deliveredSession, shortestSessionMs } from '../../../../src/trust/sistema-ts/session.ts'

const token = (digit: number) => `24eed8fe-c3f7-414d-bff8-042ecc3fa64${digit}`

/** A service that gives one session after the other, each for sixteen hours unless it does not say. */
function service(options: { readonly says?: boolean; readonly tells?: boolean } = {}) {
  const state = { at: 0, created: 0, failing: false }
  const source = createdSession({
    clock: { now: () => state.at },
    renewMs: 600_000,
    async create() {
      if (state.failing) throw new Error('down')
      state.created++
      return options.tells === false ? undefined : token(state.created)
    },
    async check() {
      if (options.says === false) throw new Error('down')
      return state.at + 2 * shortestSessionMs
    },
  })
  return { source, state }
}

describe('a session that was delivered', () => {
  it('is read anew at each call, so that its successor is in use at once', async () => {
    let file = token(1)
    const source = deliveredSession(() => file)
    expect(await source.current()).toBe(token(1))
    expect(source.superseded(token(1))).toBe(false)
    file = token(2)
    expect(await source.current()).toBe(token(2))
    expect(source.superseded(token(1))).toBe(true)
  })

  it.each(['', 'two words', 'a\nb'])('is not %j', async (text) => {
    await expect(deliveredSession(() => text).current()).rejects.toMatchObject({ code: 'internal' })
  })
})

describe('a session that is asked for', () => {
  it('is asked for once for everybody, and kept', async () => {
    const { source, state } = service()
    expect(await Promise.all([source.current(), source.current()])).toEqual([token(1), token(1)])
    expect(await source.current()).toBe(token(1))
    expect(state.created).toBe(1)
  })

  it('is replaced before its end, by one whose first use ends it', async () => {
    const { source, state } = service()
    await source.current()
    state.at = 2 * shortestSessionMs - 600_001
    expect(await source.current()).toBe(token(1))
    state.at = 2 * shortestSessionMs - 600_000
    expect(await source.current()).toBe(token(2))
    expect([source.superseded(token(1)), source.superseded(token(2))]).toEqual([true, false])
  })

  it('is taken to last eight hours where nobody says how long it does', async () => {
    const { source, state } = service({ says: false })
    await source.current()
    state.at = shortestSessionMs - 600_001
    expect(await source.current()).toBe(token(1))
    state.at = shortestSessionMs - 600_000
    expect(await source.current()).toBe(token(2))
  })

  it('is used to its end when there is no other to be had, and not beyond', async () => {
    const { source, state } = service()
    await source.current()
    state.failing = true
    state.at = 2 * shortestSessionMs - 1
    expect(await source.current()).toBe(token(1))
    state.at = 2 * shortestSessionMs
    await expect(source.current()).rejects.toThrow('down')
  })

  it('is asked for no more where it goes to a mailbox', async () => {
    const { source, state } = service({ tells: false })
    await expect(source.current()).rejects.toMatchObject({ details: { reason: 'session-not-told' } })
    await expect(source.current()).rejects.toMatchObject({ details: { reason: 'session-not-told' } })
    expect(state.created).toBe(1)
  })
})

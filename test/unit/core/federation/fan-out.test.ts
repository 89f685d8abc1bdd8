import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../../src/core/errors.ts'
import { fanOut } from '../../../../src/core/federation/fan-out.ts'
import { nothingFound, type QueryAnswer } from '../../../../src/core/model/answers.ts'
import type { Clock, Community } from '../../../../src/core/ports.ts'
import { answer, authorized, entry, homes, issue, neighbours, stoppedClock } from '../../../support/builders.ts'

const { tuscany, ini, veneto, lazio } = neighbours
const deaf = () => new Promise<QueryAnswer>(() => undefined)

/** A call whose time is up after so many real milliseconds. */
const urgent = (ms: number) => authorized({ deadline: stoppedClock.now() + ms })

function byName(replies: Readonly<Record<string, () => Promise<QueryAnswer>>>) {
  return (community: Community) => replies[community.name]?.() ?? Promise.resolve(nothingFound)
}

describe('asking several communities at once', () => {
  it('gives every answer with its origin, in the order asked', async () => {
    const reply = answer({ entries: [entry('a')] })
    const { answers, asked, failures } = await fanOut(
      [lazio, tuscany],
      authorized(),
      stoppedClock,
      byName({ 'region-120': async () => reply }),
    )
    expect(answers).toEqual([
      { from: lazio, answer: reply },
      { from: tuscany, answer: nothingFound },
    ])
    expect(asked.map(({ name, outcome }) => `${name} ${outcome}`)).toEqual(['region-120 answered', 'tuscany answered'])
    expect(failures).toEqual([])
  })

  it('calls an answer with an error of its own partial, one with a warning answered', async () => {
    const { asked } = await fanOut(
      [tuscany, ini],
      authorized(),
      stoppedClock,
      byName({
        tuscany: async () => answer({ issues: [issue('X')] }),
        ini: async () => answer({ issues: [issue('X', { severity: 'warning' })] }),
      }),
    )
    expect(asked.map(({ outcome }) => outcome)).toEqual(['partial', 'answered'])
  })

  it('has failures as values: the community that failed, one that throws at once, and a mistake of ours', async () => {
    const refused = new GatewayError('community-rejected', 'no')
    const { answers, failures, asked } = await fanOut(
      [tuscany, ini, veneto],
      authorized(),
      stoppedClock,
      byName({
        ini: () => Promise.reject(refused),
        'region-050': () => {
          throw new TypeError('ours')
        },
      }),
    )
    expect(answers.map(({ from }) => from.name)).toEqual(['tuscany'])
    expect(failures[0]).toEqual({ home: homes.ini, error: refused })
    expect(failures[1]?.error).toMatchObject({ code: 'internal', fault: 'gateway' })
    expect(asked.map(({ outcome }) => outcome)).toEqual(['answered', 'failed', 'failed'])
  })

  it('does not wait longer than the deadline for a community that is deaf to it', async () => {
    const { answers, failures } = await fanOut([tuscany, ini], urgent(20), stoppedClock, byName({ ini: deaf }))
    expect(answers.map(({ from }) => from.name)).toEqual(['tuscany'])
    expect(failures).toEqual([{ home: homes.ini, error: expect.objectContaining({ code: 'community-timeout' }) }])
  })

  it('ends at once when the deadline has passed already', async () => {
    const { failures } = await fanOut([ini], urgent(-5), stoppedClock, deaf)
    expect(failures[0]?.error.code).toBe('community-timeout')
  })

  it('tells the community that time is up by its signal, and keeps what the community said of it', async () => {
    const saying = new GatewayError('community-busy', 'queue full')
    const { failures } = await fanOut([ini], urgent(10), stoppedClock, (_, { signal }) => {
      return new Promise<QueryAnswer>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(saying))
      })
    })
    expect(['community-busy', 'community-timeout']).toContain(failures[0]?.error.code)
  })

  it('rejects with caller-gone when the caller leaves, and aborts every leg', async () => {
    const caller = new AbortController()
    const signals: AbortSignal[] = []
    const asking = fanOut([tuscany, ini], authorized({ signal: caller.signal }), stoppedClock, (_, { signal }) => {
      signals.push(signal)
      return deaf()
    })
    caller.abort()
    await expect(asking).rejects.toMatchObject({ code: 'caller-gone' })
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true])
  })

  it('asks nobody for a caller who has left before', async () => {
    let asked = 0
    const asking = fanOut([tuscany], authorized({ signal: AbortSignal.abort() }), stoppedClock, () => {
      asked++
      return Promise.reject(new Error('too late'))
    })
    await expect(asking).rejects.toMatchObject({ code: 'caller-gone' })
    expect(asked).toBe(0)
  })

  it('tells of every leg as it ends, timed by the clock', async () => {
    let now = 0
    const clock: Clock = { now: () => (now += 5) }
    const told: string[] = []
    await fanOut(
      [tuscany, ini],
      authorized({ deadline: 10_000 }),
      clock,
      byName({ ini: () => Promise.reject(new GatewayError('community-busy', 'no')) }),
      ({ outcome, durationMs }, { name }, error) => told.push(`${name} ${outcome} ${durationMs > 0} ${error?.code}`),
    )
    expect(told.sort()).toEqual(['ini failed true community-busy', 'tuscany answered true undefined'])
  })

  it('asking nobody finds nothing', async () => {
    expect(await fanOut([], authorized(), stoppedClock, deaf)).toEqual({ answers: [], failures: [], asked: [] })
  })
})

import { describe, expect, it } from 'vitest'
import { type KeptAnswer, pages } from '../../../../src/http/fhir/pages.ts'
import { entry } from '../../../support/builders.ts'

const clock = { at: 1_000, now: () => clock.at }

function answerOf(length: number): KeptAnswer {
  const entries = Array.from({ length }, (_, index) => ({ ...entry(`${index}`), sources: [] }))
  const found = { type: 'DocumentReference', entries, associations: [] } as const
  return { found, parameters: [], count: 2, askedAt: clock.at }
}

describe('a kept answer', () => {
  it('is opened by its cursors, of the view that asked, as long as it is kept', () => {
    const kept = pages({ clock, keptMs: 100, mostKept: 10 })
    const answer = answerOf(5)
    const cursorTo = kept.keep(answer, 'view')
    const second = kept.open(cursorTo(2), 'view')
    expect(second).toMatchObject({ answer, offset: 2 })
    expect(kept.open(second?.cursorTo(4) ?? '', 'view')?.offset).toBe(4)
    expect(kept.open(cursorTo(2), 'another view')).toBeUndefined()
    clock.at += 100
    expect(kept.open(cursorTo(2), 'view')).toBeUndefined()
  })

  it('has cursors that are never the same and say nothing', () => {
    const cursorTo = pages({ clock, keptMs: 100, mostKept: 10 }).keep(answerOf(3), 'view')
    expect(cursorTo(2)).not.toBe(cursorTo(2))
    expect(cursorTo(2)).toMatch(/^[A-Za-z0-9_-]{91}$/)
  })

  it('gives way to later ones, the oldest first, and none is larger than all', () => {
    const kept = pages({ clock, keptMs: 100, mostKept: 10 })
    const cursors = [4, 4, 4].map((length) => kept.keep(answerOf(length), 'view')(2))
    expect(cursors.map((cursor) => kept.open(cursor, 'view') !== undefined)).toEqual([false, true, true])
    expect(() => kept.keep(answerOf(11), 'view')).toThrow(expect.objectContaining({ code: 'too-many-results' }))
  })

  it('is nobody’s of another process', () => {
    const one = pages({ clock, keptMs: 100, mostKept: 10 })
    const other = pages({ clock, keptMs: 100, mostKept: 10 })
    expect(other.open(one.keep(answerOf(3), 'view')(2), 'view')).toBeUndefined()
    for (const text of ['', 'x', '='.repeat(91), 'A'.repeat(91)]) expect(one.open(text, 'view')).toBeUndefined()
  })
})

import { describe, expect, it } from 'vitest'
import { answerStore } from '../../../src/cache/answer-store.ts'
import { nothingFound } from '../../../src/core/model/answers.ts'

const large = { ...nothingFound, references: Array.from({ length: 5 }, (_, index) => ({ id: `${index}` })) }

describe('a store of answers', () => {
  const clock = { time: 1_000, now: () => clock.time }
  const about = (...patients: string[]) => ({ answer: nothingFound, patients: new Set(patients) })

  it('knows no more patients than its answers name, however many came and went', () => {
    const store = answerStore({ ttlMs: 1_000, entries: 3 }, clock)
    for (let index = 0; index < 50; index++) store.keep(`q${index}`, about(`p${index}`, 'everybody'), clock.now())
    expect(store.patients).toBe(4)
    store.keep('q49', about('another'), clock.now())
    expect(store.patients).toBe(4)
    store.dropPatient('everybody')
    expect(store.patients).toBe(1)
    store.clear()
    expect(store.patients).toBe(0)
  })

  it('knows no patient of an answer too large to be kept', () => {
    const store = answerStore({ ttlMs: 1_000, entries: 3, objects: 4 }, clock)
    store.keep('q', { answer: large, patients: new Set(['p']) }, clock.now())
    expect(store.get('q')).toBeUndefined()
    expect(store.patients).toBe(0)
  })

  it('forgets the patients of an answer that is too old when it is looked for', () => {
    const store = answerStore({ ttlMs: 1_000, entries: 3 }, clock)
    store.keep('q', about('p'), clock.now())
    clock.time += 1_001
    expect(store.get('q')).toBeUndefined()
    expect(store.patients).toBe(0)
  })
})

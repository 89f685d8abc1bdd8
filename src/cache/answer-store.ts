import { LRUCache } from 'lru-cache'
import type { QueryAnswer } from '../core/model/answers.ts'
import type { Clock } from '../core/ports.ts'

export interface AnswerBounds {
  readonly ttlMs: number
  /** Most answers kept. */
  readonly entries: number
  /** Most documents, submission sets, folders and associations kept, over all answers; default 64 for each answer. */
  readonly objects?: number
}

/** An answer and everybody it is about. */
export interface Kept {
  readonly answer: QueryAnswer
  readonly patients: ReadonlySet<string>
}

/** Answers by question, and the questions of each patient named in question or answer; all by their keys. */
export interface AnswerStore {
  /** How many patients the kept answers name. */
  readonly patients: number
  get(question: string): QueryAnswer | undefined
  /** Freezes the answer, and keeps it until `ttlMs` after `askedAt` unless it alone exceeds a bound. */
  keep(question: string, entry: Kept, askedAt: number): void
  dropPatient(patient: string): void
  clear(): void
}

export function answerStore({ ttlMs, entries, objects = entries * 64 }: AnswerBounds, clock: Clock): AnswerStore {
  for (const bound of [ttlMs, entries, objects]) {
    // To lru-cache, zero means without end.
    if (!Number.isSafeInteger(bound) || bound < 1) throw new RangeError('A cache needs whole bounds from one up')
  }
  const questionsOf = new Map<string, Set<string>>()
  const kept = new LRUCache<string, Kept>({
    max: entries,
    ttl: ttlMs,
    maxSize: objects,
    sizeCalculation: ({ answer }) => Math.max(1, objectsOf(answer)),
    perf: clock,
    // The time is read at each look. By default it is remembered until a timer fires.
    ttlResolution: 0,
    dispose: (entry, question) => {
      for (const patient of entry.patients) {
        const questions = questionsOf.get(patient)
        questions?.delete(question)
        if (questions?.size === 0) questionsOf.delete(patient)
      }
    },
  })
  return {
    get patients() {
      return questionsOf.size
    },
    get: (question) => kept.get(question)?.answer,
    keep(question, entry, askedAt) {
      freeze(entry.answer)
      kept.set(question, entry, { start: askedAt })
      // An answer too large to be kept is dropped without a word.
      if (!kept.has(question)) return
      for (const patient of entry.patients) {
        const questions = questionsOf.get(patient) ?? new Set()
        questionsOf.set(patient, questions.add(question))
      }
    },
    dropPatient(patient) {
      for (const question of [...(questionsOf.get(patient) ?? [])]) kept.delete(question)
    },
    clear: () => kept.clear(),
  }
}

function objectsOf({ entries, submissionSets, folders, associations, references }: QueryAnswer): number {
  return entries.length + submissionSets.length + folders.length + associations.length + references.length
}

/** Freezes a tree of plain values. What is frozen already is taken to be so throughout. */
function freeze(value: unknown): void {
  if (value === null || typeof value !== 'object' || Object.isFrozen(value)) return
  Object.freeze(value)
  for (const member of Object.values(value)) freeze(member)
}

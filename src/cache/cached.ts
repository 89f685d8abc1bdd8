import type { QueryAnswer } from '../core/model/answers.ts'
import type { AuthorizedCall } from '../core/model/call.ts'
import type { PatientId } from '../core/model/patient.ts'
import { namesPatient, type StoredQuery } from '../core/model/stored-query.ts'
import type { Clock, Community, DocumentRegistry } from '../core/ports.ts'
import { type AnswerBounds, type AnswerStore, answerStore } from './answer-store.ts'
import { patientKey, questionKey } from './key.ts'

export interface CacheOptions extends AnswerBounds {
  /** Who may share an answer; default the permit's partition. */
  readonly partitionOf?: (call: AuthorizedCall) => string
  /** Calls that are neither answered from the cache nor kept; default none. */
  readonly bypass?: (query: StoredQuery, call: AuthorizedCall) => boolean
}

/** A community that remembers answers of its registry for a while. */
export interface CachedCommunity extends Community {
  /** Forgets everything, and keeps no answer to a question now under way. */
  drop(): void
  /**
   * Forgets the answers to questions about this identifier and those that name it, and keeps none of those under way.
   * A person with several identifiers needs one call for each.
   */
  dropPatient(patientId: PatientId): void
}

/** A question under way, and what was dropped since it began. */
interface Flight {
  readonly dropped: Set<string>
  droppedAll: boolean
}

/**
 * Gives callers of one partition the answer that one of them got, until `ttlMs` after it was asked for. Failures, answers
 * that report an error and answers that name no patient, which no push could drop, are never kept; questions asked at the
 * same time are each asked. Answers are shared, hence frozen. Disposal forgets all and disposes the community.
 * Throws RangeError when a bound is not a whole number from one up.
 */
export function cached(community: Community, options: CacheOptions, clock: Clock): CachedCommunity {
  const { registry } = community
  const answers = answerStore(options, clock)
  const flights = new Set<Flight>()

  function drop(): void {
    for (const flight of flights) flight.droppedAll = true
    answers.clear()
  }

  return {
    ...community,
    ...(registry && { registry: remembering(registry, answers, flights, options, clock) }),
    drop,
    dropPatient(patientId) {
      const patient = patientKey(patientId)
      for (const flight of flights) flight.dropped.add(patient)
      answers.dropPatient(patient)
    },
    async [Symbol.asyncDispose]() {
      drop()
      await community[Symbol.asyncDispose]()
    },
  }
}

function remembering(
  registry: DocumentRegistry,
  answers: AnswerStore,
  flights: Set<Flight>,
  { partitionOf = (call) => call.permit.partition, bypass = () => false }: CacheOptions,
  clock: Clock,
): DocumentRegistry {
  return {
    async query(query, call) {
      const { generation } = call
      if (generation === undefined || bypass(query, call)) return await registry.query(query, call)
      const question = questionKey(`${generation} ${partitionOf(call)}`, query)
      const known = answers.get(question)
      if (known !== undefined) return known

      const flight: Flight = { dropped: new Set(), droppedAll: false }
      const askedAt = clock.now()
      flights.add(flight)
      try {
        const answer = await registry.query(query, call)
        const about = patientsOf(query, answer)
        const sound = answer.issues.every((issue) => issue.severity !== 'error')
        const overtaken = flight.droppedAll || [...about].some((patient) => flight.dropped.has(patient))
        if (sound && !overtaken && about.size > 0) answers.keep(question, { answer, patients: about }, askedAt)
        return answer
      } finally {
        flights.delete(flight)
      }
    },
  }
}

/** Everybody a question and its answer name. */
function patientsOf(query: StoredQuery, { entries, submissionSets, folders }: QueryAnswer): Set<string> {
  const named = new Map<string, PatientId>()
  const name = (id: PatientId): Map<string, PatientId> => named.set(`${id.authority} ${id.value}`, id)
  if (namesPatient(query)) name(query.patientId)
  for (const objects of [entries, submissionSets, folders]) for (const { patientId } of objects) name(patientId)
  return new Set([...named.values()].map(patientKey))
}

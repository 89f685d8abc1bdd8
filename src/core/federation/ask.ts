import { asGatewayError, GatewayError, type Issue } from '../errors.ts'
import { nothingFound, type QueryAnswer } from '../model/answers.ts'
import type { AuthorizedCall } from '../model/call.ts'
import { isPatient, type PatientId } from '../model/patient.ts'
import { namesPatient, type StoredQuery, underIdentifier } from '../model/stored-query.ts'
import type { Community, DocumentRegistry, KnownPatient } from '../ports.ts'

/** What a refused answer is called in logs and in the error that names the community. */
export const wrongPatient = 'wrong-patient'

/**
 * Asks one community about one person: once per identifier where the community files people under several. An answer
 * about a named patient is refused whole when any object in it is about somebody else: a registry that mixes up one
 * person is not believed about another. Objects asked for by their ids are left out instead when they are somebody
 * else's, so that such an id answers as one that does not exist. Rejects with GatewayError.
 */
export async function ask(
  community: Community,
  query: StoredQuery,
  known: KnownPatient,
  call: AuthorizedCall,
): Promise<QueryAnswer> {
  const { registry } = community
  if (registry === undefined) throw new GatewayError('internal', 'A community without a registry was asked')
  const answer = await combined(questions(community, query, known), knowing(registry), call)
  if (!namesPatient(query)) return withoutStrangers(answer, known)
  refuseStrangers(answer, known)
  return answer
}

/** A community that does not know the patient has nothing to tell (ihe.md §6.1 no. 7). */
function knowing(registry: DocumentRegistry): DocumentRegistry {
  return {
    async query(query, call) {
      try {
        return await registry.query(query, call)
      } catch (error) {
        if (error instanceof GatewayError && error.code === 'patient-unknown') return nothingFound
        throw error
      }
    },
  }
}

function questions(community: Community, query: StoredQuery, known: KnownPatient): readonly StoredQuery[] {
  if (!namesPatient(query)) return [query]
  const { identifiers, active } = known.patient
  return (community.identifiers === 'each' ? identifiers : [active]).map((id) => underIdentifier(query, id))
}

async function combined(
  queries: readonly StoredQuery[],
  registry: DocumentRegistry,
  call: AuthorizedCall,
): Promise<QueryAnswer> {
  const [only] = queries
  if (queries.length === 1 && only !== undefined) return await registry.query(only, call)
  const results = await Promise.allSettled(queries.map((query) => registry.query(query, call)))
  const answers = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [asGatewayError(result.reason)] : []))
  const [first] = failures
  if (answers.length === 0 && first !== undefined) throw first
  return [...answers, { ...nothingFound, issues: failures.map(unansweredIdentifier) }].reduce(joined)
}

function unansweredIdentifier(error: GatewayError): Issue {
  return {
    severity: 'error',
    code: 'XDSRegistryError',
    text: `The community answered for some of the identifiers of the patient only (${error.code})`,
  }
}

function joined(a: QueryAnswer, b: QueryAnswer): QueryAnswer {
  return {
    entries: [...a.entries, ...b.entries],
    submissionSets: [...a.submissionSets, ...b.submissionSets],
    folders: [...a.folders, ...b.folders],
    associations: [...a.associations, ...b.associations],
    references: [...a.references, ...b.references],
    issues: [...a.issues, ...b.issues],
  }
}

function withoutStrangers(answer: QueryAnswer, { patient }: KnownPatient): QueryAnswer {
  const ours = <T extends { readonly patientId: PatientId }>(objects: readonly T[]) =>
    objects.filter(({ patientId }) => isPatient(patient, patientId))
  return {
    ...answer,
    entries: ours(answer.entries),
    submissionSets: ours(answer.submissionSets),
    folders: ours(answer.folders),
  }
}

function refuseStrangers(answer: QueryAnswer, { patient }: KnownPatient): void {
  const objects = [...answer.entries, ...answer.submissionSets, ...answer.folders]
  if (objects.every(({ patientId }) => isPatient(patient, patientId))) return
  throw new GatewayError('community-misbehaved', 'The community answered about another patient', {
    details: { reason: wrongPatient },
  })
}

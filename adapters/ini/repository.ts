import type { AdapterTools } from '../../src/config/adapter.ts'
import { GatewayError } from '../../src/core/errors.ts'
import type { AuthorizedCall } from '../../src/core/model/call.ts'
import type { DocumentReference, RetrieveAnswer, RetrieveIssue } from '../../src/core/model/retrieval.ts'
import type { FindDocuments } from '../../src/core/model/stored-query.ts'
import type { DocumentRegistry, DocumentRepository } from '../../src/core/ports.ts'
import { actions } from '../../src/wire/actions.ts'
import type { IniOptions } from './options.ts'
import { iniDocuments } from './outcome.ts'
import type { Searches } from './searches.ts'

/**
 * Retrieves through INI (ITI-43), which looks for a search in the previous 20 minutes first: when there was none, or INI
 * knows of none (RTW2), the patient is searched for and the document asked for once more. RTW1 says that the document is
 * ours (ini.md §6.1).
 */
export function iniRepository(
  url: string,
  { messageId, packaging }: IniOptions,
  tools: AdapterTools,
  { registry, searches }: { readonly registry: DocumentRegistry; readonly searches: Searches },
): DocumentRepository {
  const retrieve = async (references: readonly DocumentReference[], call: AuthorizedCall): Promise<RetrieveAnswer> => {
    const action = actions.retrieveDocumentSet
    return iniDocuments(await tools.retrieve({ url, action, references, call, messageId, packaging }))
  }
  return {
    mostAtOnce: tools.mostAtOnce,
    async retrieve(references, call) {
      if (searches.missing(references, call).length > 0) await search(registry, call)
      const answer = await retrieve(references, call)
      const unsearched = wanting(answer, references, 'RTW2')
      if (unsearched.length === 0) return told(answer)
      searches.forget(unsearched, call)
      await search(registry, call)
      const again = await retrieve(unsearched, call)
      const others = answer.issues.filter(({ code }) => code !== 'RTW2')
      return told({ documents: [...answer.documents, ...again.documents], issues: [...others, ...again.issues] })
    },
  }
}

/** What INI wants to have seen: a search for the documents of the patient the assertion names. */
async function search(registry: DocumentRegistry, call: AuthorizedCall): Promise<void> {
  const { patientId } = call.assertion
  if (patientId === undefined) throw new GatewayError('access-denied', 'The assertion names no patient')
  const query: FindDocuments = {
    type: 'FindDocuments',
    patientId,
    status: ['approved', 'deprecated'],
    filter: {},
    extra: [],
  }
  await registry.query(query, call)
}

/** The references without a document about which, or about all of which, INI said a code. */
function wanting({ documents, issues }: RetrieveAnswer, references: readonly DocumentReference[], code: string) {
  const said = issues.filter((issue) => issue.code === code)
  if (said.length === 0) return []
  const absent = references.filter(({ uniqueId }) => !documents.some((document) => document.uniqueId === uniqueId))
  return absent.filter(({ uniqueId }) =>
    said.some((issue) => issue.uniqueId === undefined || issue.uniqueId === uniqueId),
  )
}

/**
 * INI's warnings about documents that it did not hand out are errors to whoever wants them. RtRE3 says that the region of
 * assistance could not be told: the document may be there all the same, and then it is (ini.md §6.1).
 */
function told({ documents, issues }: RetrieveAnswer): RetrieveAnswer {
  const handedOut = ({ uniqueId }: RetrieveIssue) =>
    uniqueId === undefined ? documents.length > 0 : documents.some((document) => document.uniqueId === uniqueId)
  return {
    documents,
    issues: issues.map((issue) => {
      const { code } = issue
      if (code === 'RTW1') return { ...issue, severity: 'error', advice: 'own-repository' }
      if (code === 'RTW2') return { ...issue, severity: 'error' }
      if (code === 'RtRE3' && handedOut(issue)) return { ...issue, severity: 'warning' }
      return issue
    }),
  }
}

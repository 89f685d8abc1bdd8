import { asGatewayError, type GatewayError } from '../../src/core/errors.ts'
import type { AuthorizedCall } from '../../src/core/model/call.ts'
import type { DocumentReference, RetrievedDocument, RetrieveIssue } from '../../src/core/model/retrieval.ts'
import type { DocumentRepository, HeldDocument } from '../../src/core/ports.ts'
import type { Made } from './cda.ts'
import { documentNamed, madeIdOf } from './documents.ts'
import { kindsOf } from './entries.ts'
import { filedUnder, type RegistryParts } from './registry.ts'

type Retrieved = RetrievedDocument | RetrieveIssue

/**
 * Makes documents of prescriptions as they are now. Nothing of them is kept: a document that was made before is made again,
 * and is not found once the prescription says something else.
 */
export function prescriptionRepository(parts: RegistryParts & { readonly mostAtOnce: number }): DocumentRepository {
  return {
    mostAtOnce: parts.mostAtOnce,
    async retrieve(references, call) {
      const documents: RetrievedDocument[] = []
      const issues: RetrieveIssue[] = []
      const failures: GatewayError[] = []
      for (const reference of references) {
        try {
          const retrieved = await retrieve(reference, call, parts)
          if ('content' in retrieved) documents.push(retrieved)
          else issues.push(retrieved)
        } catch (thrown) {
          const error = asGatewayError(thrown)
          failures.push(error)
          issues.push(...told(error, reference))
        }
      }
      const [first] = failures
      if (first !== undefined && failures.length === references.length) throw first
      return { documents, issues }
    },
  }
}

/** A document, or why there is none. */
async function retrieve(
  { repositoryUniqueId, uniqueId }: DocumentReference,
  call: AuthorizedCall,
  parts: RegistryParts,
): Promise<Retrieved> {
  const { home, repositoryUniqueId: own } = parts.entries
  if (repositoryUniqueId.replace(/^urn:oid:/, '') !== own) {
    const text = 'The repository is not known here'
    return { severity: 'error', code: 'XDSUnknownRepositoryId', text, uniqueId }
  }
  const named = documentNamed(uniqueId, home)
  if (named === undefined) return unknown(uniqueId)
  const { prescriptions } = await filedUnder(named.nre, call, parts)
  const [filed] = prescriptions
  if (filed === undefined || kindsOf(filed.prescription)?.includes(named.kind) !== true) return unknown(uniqueId)
  const made = await parts.make(filed, named.kind)
  const common = { repositoryUniqueId, uniqueId, mimeType: 'text/x-cda-r2+xml', content: held(made) }
  if (named.madeAs !== undefined) return named.madeAs === made.sha1 ? common : unknown(uniqueId)
  return { ...common, newUniqueId: madeIdOf(named, made.sha1, home) }
}

function unknown(uniqueId: string): RetrieveIssue {
  return { severity: 'error', code: 'XDSDocumentUniqueIdError', text: 'Unable to locate the document', uniqueId }
}

function told({ code, issues }: GatewayError, { uniqueId }: DocumentReference): readonly RetrieveIssue[] {
  const text = `The prescription could not be read (${code})`
  const own = issues.filter(({ severity }) => severity === 'error')
  const said = own.length > 0 ? own : [{ severity: 'error', code: 'XDSRepositoryError', text } as const]
  return said.map((issue) => ({ ...issue, uniqueId }))
}

/** A prescription is a few kilobytes: in memory, and gone with whoever holds it. */
function held({ bytes, sha1 }: Made): HeldDocument {
  return {
    size: bytes.length,
    sha1,
    async *read() {
      yield bytes.slice()
    },
    async [Symbol.asyncDispose]() {},
  }
}

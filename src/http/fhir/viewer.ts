import { createHmac } from 'node:crypto'
import type { Source } from '../../core/model/answers.ts'
import type { Assertion } from '../../core/model/call.ts'
import type { Folder, SubmissionSet } from '../../core/model/metadata.ts'
import { viewerBinding } from '../api/viewer-binding.ts'

/** Ids of resources as one viewer knows them: to everybody else they are as good as any other text. */
export interface ViewerIds {
  /** Of a document as one community tells of it. */
  document(source: Source): string
  list(list: SubmissionSet | Folder): string
  /** Of the patient whom the viewer's tokens are about. */
  readonly patient: string
}

/**
 * Ids made of what they name and whom they are for (HMAC-SHA-256). They are the same whenever and by whichever replica they
 * are made, nothing can be read from them, and whoever brings one must find again what it names.
 */
export function idsFor(key: Uint8Array, viewer: Assertion): ViewerIds {
  const bound = viewerBinding(viewer)
  const idOf = (...named: readonly string[]) => {
    return createHmac('sha256', key)
      .update(`fhir id 1\n${bound}\n${named.join('\n')}`)
      .digest('hex')
      .slice(0, 40)
  }
  return {
    document: ({ home, entryUuid }) => idOf('DocumentReference', home, entryUuid),
    list: ({ home = '', entryUuid }) => idOf('List', home, entryUuid),
    patient: idOf('Patient'),
  }
}

/** The viewer's binding, and everything else by which two requests of one viewer may be shown different things. */
export function viewOf(viewer: Assertion): string {
  const { action, application, documentTypes, inCare, locality } = viewer
  const types = documentTypes?.map(({ code, scheme }) => `${code}^^${scheme}`).sort()
  return JSON.stringify(
    [viewerBinding(viewer), action, inCare, locality, application, types].map((part) => part ?? null),
  )
}

import { hash } from 'node:crypto'
import type { Acceptance, DocumentRecipientGateway, Received } from '../../core/federation/document-recipient.ts'
import type { MetadataChange } from '../../core/model/change.ts'
import type { DocumentReference } from '../../core/model/retrieval.ts'
import type { Service } from '../../core/policy/access-table.ts'
import { actions } from '../../wire/actions.ts'
import { encodeRegistryResponse } from '../../wire/ebrim/registry-response.ts'
import { decodeRemoveObjects, decodeSubmitObjects } from '../../wire/ebrim/submit-objects.ts'
import type { Envelope } from '../../wire/soap.ts'
import { registryErrorOf, registryErrorsOf } from './registry-errors.ts'
import type { SoapTransaction } from './transaction.ts'

/** A push as it came. */
interface Push {
  readonly change: MetadataChange
  readonly received: Received
}

type PushTransaction = SoapTransaction<Push, Acceptance>

/** How many documents an audit record names at most; the journal has them all. */
const mostNamed = 64

/** ITI-42 as INI sends it: creation, replacement, the old form of an update, the push of an index (ini.md §7.1). */
export function iti42(gateway: DocumentRecipientGateway): PushTransaction {
  const decode = ({ tree, body }: Envelope): MetadataChange => ({
    type: 'submit',
    submission: decodeSubmitObjects(tree, body),
  })
  return { ...push('ITI-42', gateway, decode), action: actions.registerDocumentSet }
}

/** ITI-57: new versions of what is known about documents (ini.md §3.3). */
export function iti57(gateway: DocumentRecipientGateway): PushTransaction {
  const decode = ({ tree, body }: Envelope): MetadataChange => ({
    type: 'update',
    submission: decodeSubmitObjects(tree, body),
  })
  return { ...push('ITI-57', gateway, decode), action: actions.updateDocumentSet }
}

/** ITI-62: documents to be forgotten; `service` says for what reason, where the address does (ini.md §1.2 no. 5, 7). */
export function iti62(gateway: DocumentRecipientGateway, service?: Service): PushTransaction {
  const decode = ({ tree, body }: Envelope): MetadataChange => ({
    type: 'remove',
    ids: decodeRemoveObjects(tree, body),
    entries: [],
  })
  return { ...push('ITI-62', gateway, decode, service), action: actions.deleteDocumentSet }
}

function push(
  id: 'ITI-42' | 'ITI-57' | 'ITI-62',
  gateway: DocumentRecipientGateway,
  decode: (envelope: Envelope) => MetadataChange,
  service?: Service,
): Omit<PushTransaction, 'action'> {
  return {
    id,
    decode: (envelope) => ({ change: decode(envelope), received: receivedAs(id, envelope, service) }),
    handle: ({ change, received }, call) => gateway.accept(change, call, received),
    encode: ({ warnings }) =>
      encodeRegistryResponse({ status: 'success', errors: warnings.map((warning) => registryErrorsOf(warning)) }),
    fail: (error) =>
      encodeRegistryResponse({
        status: 'failure',
        errors:
          error.issues.length > 0 ? error.issues.map((issue) => registryErrorsOf(issue)) : [registryErrorOf(error)],
      }),
    account: ({ change }) => accountOf(change),
    outcome: () => ({ asked: [], failures: [], status: 'success', results: 0 }),
  }
}

function receivedAs(transaction: string, { tree, body }: Envelope, service: Service | undefined): Received {
  return {
    transaction,
    digest: hash('sha256', tree.bytes),
    bodyDigest: hash('sha256', tree.bytes.subarray(tree.start(body), tree.end(body))),
    ...(service === undefined ? {} : { service }),
  }
}

function accountOf(change: MetadataChange): ReturnType<PushTransaction['account']> {
  if (change.type === 'hide') return { request: change.type, patientId: change.patientId }
  if (change.type === 'remove') return { request: change.type }
  const { entries, submissionSet } = change.submission
  const documents = entries.slice(0, mostNamed).map(
    ({ home, repositoryUniqueId = '', uniqueId }): DocumentReference => ({
      repositoryUniqueId,
      uniqueId,
      ...(home === undefined ? {} : { home }),
    }),
  )
  return { request: change.type, patientId: submissionSet.patientId, documents }
}

import { randomUUID } from 'node:crypto'
import { loinc } from '../../contracts/affinity-domain/document-types.ts'
import type { AuthorizedCall } from '../core/model/call.ts'
import type { DocumentEntry } from '../core/model/metadata.ts'
import type { PatientId } from '../core/model/patient.ts'
import type { Community } from '../core/ports.ts'
import { needed } from './arguments.ts'
import { CliError } from './exit.ts'
import { consentSetOf, consentsTold } from './ini-consents.ts'
import { type DocumentValues, newSubmission, newVersion, standIn } from './ini-document.ts'
import type { IniEndpoint } from './ini-endpoint.ts'
import type { IniValues } from './ini-options.ts'
import { changeTold, counted, documentsTold, isOurs, ours, type Result } from './ini-result.ts'
import { documentTold, retrieved, savedTo } from './ini-retrieval.ts'
import { homeOf } from './notify.ts'

/** What an operation is done with. */
export interface Doing {
  readonly endpoint: IniEndpoint
  readonly values: IniValues
  readonly call: AuthorizedCall
  readonly patientId: PatientId
}

/** An operation of INI from the command line. */
export interface IniOperation {
  /** As the adapter's table of operations calls it; `open` where its claims are nobody's but the asker's. */
  readonly name: string
  readonly run: (doing: Doing) => Promise<Result>
}

/** Every operation, by the words that name it. */
export const iniOperations: Readonly<Record<string, IniOperation>> = {
  search: {
    name: 'search',
    async run({ endpoint, values, call, patientId }) {
      const { type } = values
      const { entries } = await port(endpoint, 'registry', 'base').query(
        {
          ...{ type: 'FindDocuments', patientId, extra: [] },
          status: values.deprecated ? ['approved', 'deprecated'] : ['approved'],
          filter: type.length === 0 ? {} : { typeCodes: type.map((code) => ({ code, scheme: loinc })) },
        },
        call,
      )
      return isOurs(endpoint.recorded) ? ours : documentsTold(entries)
    },
  },
  documents: {
    name: 'metadata',
    async run(doing) {
      const entries = await metadataOf(doing)
      return entries === 'ours' ? ours : documentsTold(entries)
    },
  },
  references: {
    name: 'references',
    async run({ endpoint, values, call, patientId }) {
      const uniqueId = needed('document', values.document)
      const ids = await endpoint.operations.lookUp.references(uniqueId, { call, patientId })
      return ids === 'ours' ? ours : { said: counted(ids.length, 'id'), listed: ids, found: ids }
    },
  },
  register: {
    name: 'create',
    async run({ endpoint, values, call, patientId }) {
      const teller = { gateway: endpoint.gateway, call, patientId }
      return await told(endpoint, newSubmission(documentOf(values), { uniqueId: values['unique-id'] }, teller), call)
    },
  },
  replace: {
    name: 'replace',
    async run({ endpoint, values, call, patientId }) {
      const ids = { uniqueId: values['unique-id'], replaces: needed('document', values.document) }
      const teller = { gateway: endpoint.gateway, call, patientId }
      return await told(endpoint, newSubmission(documentOf(values), ids, teller), call)
    },
  },
  update: {
    name: 'update',
    async run(doing) {
      const { endpoint, values, call, patientId } = doing
      const entries = await metadataOf(doing)
      if (entries === 'ours') return ours
      const former = latestOf(entries)
      if (former === undefined) return { exit: 'failure', said: 'INI tells of no such document: nothing was sent' }
      return await told(endpoint, newVersion(former, documentOf(values), { ...endpoint, call, patientId }), call)
    },
  },
  delete: {
    name: 'delete',
    async run({ endpoint, values, call, patientId }) {
      const entry = standIn(needed('document', values.document), { ...endpoint, call, patientId })
      return await told(endpoint, { type: 'remove', ids: [], entries: [entry] }, call)
    },
  },
  retrieve: {
    name: 'retrieve',
    async run({ endpoint, values, call }) {
      const repository = port(endpoint, 'repository', 'retrieve')
      const reference = {
        ...(values.home === undefined ? {} : { home: homeOf(values.home) }),
        repositoryUniqueId: needed('repository', values.repository),
        uniqueId: needed('document', values.document),
      }
      return await retrieved(await repository.retrieve([reference], call), values.out)
    },
  },
  'consents query': {
    name: 'consentQuery',
    async run({ endpoint, call, patientId }) {
      return consentsTold(await port(endpoint, 'consentRegister', 'base').state(patientId, call))
    },
  },
  'consents set': {
    name: 'consentRegister',
    async run({ endpoint, values, call, patientId }) {
      const register = port(endpoint, 'consentRegister', 'base')
      const set = consentSetOf(values, { before: await register.state(patientId, call), call, patientId })
      const found = await register.register(set, call)
      const { assistedBy } = found
      return { said: `set${assistedBy === undefined ? '' : `; the patient is assisted by ${assistedBy}`}`, found }
    },
  },
  'disclosure get': {
    name: 'disclosure',
    async run({ endpoint, values, call }) {
      const { id, documents } = await port(endpoint, 'disclosures', 'disclosures').retrieve(
        needed('id', values.id),
        call,
      )
      const listed = []
      for (const [index, { content, mediaType, type }] of documents.entries()) {
        const where = await savedTo(values.out, index, documents.length, [content])
        listed.push(documentTold({ mediaType, type, size: content.length }, where))
      }
      return { said: `notice ${id}, ${counted(documents.length, 'document')}`, listed }
    },
  },
  'organ-donation get': {
    name: 'organDonation',
    async run({ endpoint, call, patientId }) {
      const found = await port(endpoint, 'organDonation', 'base').declared(patientId, call)
      if (found === undefined) return { said: 'nothing was declared' }
      const { given, date, place } = found
      const facts = [given ? 'consents' : 'is opposed', ...(date === undefined ? [] : [`since ${date}`])]
      return { said: [...facts, ...(place === undefined ? [] : [`at ${place}`])].join(' '), found }
    },
  },
  'transfer list': {
    name: 'indexTransferSearch',
    async run({ endpoint, values, call, patientId }) {
      const transfer = { transferId: transferIdOf(values), patientId }
      const ids = await port(endpoint, 'indexTransfer', 'base').list(transfer, call)
      return { said: counted(ids.length, 'id'), listed: ids, found: { ...transfer, ids } }
    },
  },
  'transfer read': {
    name: 'indexTransferSearch',
    async run({ endpoint, values, call, patientId }) {
      if (values.entry.length === 0) throw new CliError('usage', '--entry is needed: an id that transfer list tells')
      const transfer = { transferId: transferIdOf(values), patientId }
      return documentsTold(await port(endpoint, 'indexTransfer', 'base').read(values.entry, transfer, call))
    },
  },
  'notify-retrieve': {
    name: 'notice',
    async run({ endpoint, values, call, patientId }) {
      const { gateway } = endpoint
      const { subject, role, purposeOfUse, locality } = call.assertion
      const [type] = values.type
      await port(endpoint, 'notices', 'notifyRetrieve').tell(
        {
          home: values.home === undefined ? gateway.home : homeOf(values.home),
          repositoryUniqueId: needed('repository', values.repository),
          uniqueId: needed('document', values.document),
          ...(type === undefined ? {} : { typeCode: { code: type, scheme: loinc } }),
          ...(values['assisted-by'] === undefined ? {} : { assistedBy: homeOf(values['assisted-by']) }),
          ...{ patientId, requestor: subject, requestorRole: role, purposeOfUse },
          locality: locality ?? gateway.organization.locality ?? gateway.organization.code,
        },
        call.signal,
      )
      return { said: 'taken' }
    },
  },
}

type Ports = Required<Pick<Community, 'registry' | 'repository' | 'recipient' | 'notices'>> &
  Required<Pick<Community, 'consentRegister' | 'disclosures' | 'organDonation' | 'indexTransfer'>>

/** Throws CliError where the configuration does not say at which address the operation is. */
function port<Name extends keyof Ports>({ community }: IniEndpoint, name: Name, option: string): Ports[Name] {
  const found = (community as Partial<Ports>)[name]
  if (found !== undefined) return found
  const missing = `the options of ${community.name} say no ${option}`
  throw new CliError('usage', `${missing}, and no public source tells the address: add it to the configuration`)
}

function transferIdOf(values: IniValues): string {
  return values['transfer-id'] ?? `urn:uuid:${randomUUID()}`
}

async function metadataOf({ endpoint, values, call, patientId }: Doing) {
  return await endpoint.operations.lookUp.metadata(needed('document', values.document), { call, patientId })
}

async function told(
  endpoint: IniEndpoint,
  change: Parameters<Ports['recipient']['accept']>[0],
  call: AuthorizedCall,
): Promise<Result> {
  await port(endpoint, 'recipient', 'base').accept(change, call)
  return changeTold(endpoint.recorded, 'submission' in change ? change.submission.entries : [])
}

function documentOf({ type: [type], ...values }: IniValues): DocumentValues {
  return { ...values, ...(type === undefined ? {} : { type }) }
}

/** References and metadata may be told of every version. */
function latestOf(entries: readonly DocumentEntry[]): DocumentEntry | undefined {
  const current = entries.filter(({ status = 'approved' }) => status === 'approved')
  return current.toSorted((one, other) => Number(other.version ?? 1) - Number(one.version ?? 1))[0]
}

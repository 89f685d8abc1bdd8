import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ensureCertificates } from '../../certs-dev/make.ts'
import { clientOf, connect, toolmaker } from '../../src/communities.ts'
import { loadConfig } from '../../src/config/load.ts'
import { obscuredCode } from '../../src/core/federation/overlay.ts'
import { withOwnIds } from '../../src/core/federation/submitted-ids.ts'
import type { AuthorizedCall } from '../../src/core/model/call.ts'
import type { MetadataChange, Submission } from '../../src/core/model/change.ts'
import { oid } from '../../src/core/model/identifiers.ts'
import type { DocumentEntry } from '../../src/core/model/metadata.ts'
import { type PatientId, patientId } from '../../src/core/model/patient.ts'
import type { Community } from '../../src/core/ports.ts'
import { spool } from '../../src/spool/spool.ts'
import { createEvents } from '../../src/telemetry/events.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { loadTrustMaterial } from '../../src/trust-material.ts'
import { decodeSubmitObjects } from '../../src/wire/ebrim/submit-objects.ts'
import { readTree } from '../../src/wire/xml.ts'
import { citizens } from '../network/citizens.ts'
import { makeDocument } from '../network/documents.ts'
import type { DocumentFacts } from '../network/entry.ts'
import { kindOf } from '../network/kinds.ts'
import { sow } from '../network/seed.ts'
import { type Purpose, submissionOf, submitObjectsRequest } from '../network/submission.ts'
import { startTuscanRecord, type TuscanRecord } from '../network/tuscan-record.ts'
import { event } from '../network/value-sets.ts'
import { authorized } from '../support/builders.ts'
import { communityInput, writeGatewayConfig } from '../support/gateway-config.ts'

const seed = sow()
const clock = { now: () => Date.now() }
const [identifier] = citizens.tuscan.identifiers
const patient: PatientId = patientId(identifier.value, oid(identifier.authority))

let number = 500
/** A document nobody has told of yet. */
function newDocument(): DocumentFacts {
  const { value, authority } = identifier
  return makeDocument(seed.name, {
    ...{ citizen: citizens.tuscan, under: { value, authority }, keeper: '050', kind: kindOf('11502-2') },
    number: ++number,
  })
}

/** A submission as INI sends it and as the gateway accepts it. */
function accepted(facts: DocumentFacts, purpose: Purpose): Submission {
  const tree = readTree(Buffer.from(submitObjectsRequest(submissionOf(facts, purpose))))
  return withOwnIds(decodeSubmitObjects(tree, tree.root), () => `urn:uuid:${randomUUID()}`)
}

function call(purposeOfUse: string): AuthorizedCall {
  const made = authorized({ signal: AbortSignal.timeout(15_000), deadline: Date.now() + 15_000 })
  const locality = 'Ambulatorio di prova^^^^^&2.16.840.1.113883.2.9.4.1.3&ISO^^^^090202'
  return { ...made, assertion: { ...made.assertion, purposeOfUse, patientId: patient, locality, inCare: true } }
}

/** What every recipient promises: the change is made, and making it again does no harm. */
function recipientBehaves(name: string, options: (record: TuscanRecord) => Record<string, unknown>): void {
  describe(`the tuscan record by ${name}, as a recipient`, () => {
    let community: Community
    let running: AsyncDisposableStack

    beforeAll(async () => {
      const { directory: certificates } = await ensureCertificates()
      await using opened = new AsyncDisposableStack()
      const record = opened.use(await startTuscanRecord({ certificates, seed }))
      const { folder, file } = await writeGatewayConfig([communityInput('tuscany', 'tuscany', options(record))])
      opened.defer(() => rm(folder, { recursive: true, force: true }))
      const config = loadConfig(file)
      const [entry] = config.federation.communities
      if (entry === undefined) throw new Error('A community must be configured')
      const material = await loadTrustMaterial(config, AbortSignal.timeout(60_000))
      const client = opened.use(clientOf(entry, config, () => material, clock))
      const documents = opened.use(spool())
      const events = createEvents(createLog({ level: 'silent' }), createMetrics())
      const tools = toolmaker(config, { clock, events, spool: documents, signer: () => material.signer })
      community = opened.use(connect(entry, tools(entry, client), 0))
      running = opened.move()
    })
    afterAll(() => running.disposeAsync())

    /** Twice: a delivery whose answer was lost is made again. */
    async function accept(change: MetadataChange, purposeOfUse = 'UPDATE'): Promise<void> {
      const { recipient } = community
      if (recipient === undefined) throw new Error('The community takes no changes')
      await recipient.accept(change, call(purposeOfUse))
      await recipient.accept(change, call(purposeOfUse))
    }

    const told = (uniqueId: string) => toldBy('unique-id', uniqueId)

    async function toldBy(by: 'unique-id' | 'entry-uuid', id: string): Promise<readonly DocumentEntry[]> {
      const documents = { by, ids: [id] }
      const answer = await community.registry?.query({ type: 'GetDocuments', documents, extra: [] }, call('TREATMENT'))
      return answer?.entries ?? []
    }

    async function current(uniqueId: string): Promise<DocumentEntry> {
      const [entry, ...others] = (await told(uniqueId)).filter(({ status }) => status === 'approved')
      if (entry === undefined || others.length > 0) throw new Error('There must be one current entry')
      return entry
    }

    async function created(): Promise<DocumentFacts> {
      const facts = newDocument()
      await accept({ type: 'submit', submission: accepted(facts, { kind: 'create' }) }, 'TREATMENT')
      return facts
    }

    it('has a new document', async () => {
      const { uniqueId, hash, size } = await created()
      expect(await current(uniqueId)).toMatchObject({ uniqueId, hash, size, patientId: patient })
    })

    it('has a document in the place of another', async () => {
      const former = await created()
      const facts = newDocument()
      const older = await current(former.uniqueId)
      const submission = accepted(facts, { kind: 'replace', older: { entryUuid: older.entryUuid } })
      await accept({ type: 'submit', submission })
      expect(await current(facts.uniqueId)).toMatchObject({ hash: facts.hash })
      expect(await told(former.uniqueId)).toMatchObject([{ status: 'deprecated' }])
    })

    it('has what is known anew of a document', async () => {
      const facts = await created()
      const { entryUuid, version = '1' } = await current(facts.uniqueId)
      const changed = { ...facts, events: [...facts.events, event('P00')] }
      const { entries, ...others } = accepted(changed, { kind: 'update', former: { entryUuid, version } })
      const next = String(Number(version) + 1)
      await accept({
        type: 'update',
        submission: { ...others, entries: entries.map((entry) => ({ ...entry, version: next })) },
      })
      const now = await current(facts.uniqueId)
      expect(now.eventCodes.map(({ code }) => code)).toContain('P00')
      expect(now.version).toBe(next)
      // It is told under the id the update was accepted under, and found by that and by the one it had.
      expect(now.entryUuid).toBe(entries[0]?.entryUuid)
      for (const id of [entryUuid, now.entryUuid]) {
        expect((await toldBy('entry-uuid', id)).map(({ uniqueId }) => uniqueId)).toEqual([facts.uniqueId])
      }
    })

    it('has hidden a document, with one visibility policy', async () => {
      const facts = await created()
      const { uniqueId } = facts
      await accept({ type: 'hide', patientId: patient, uniqueId })
      expect((await current(uniqueId)).eventCodes).toMatchObject([
        ...facts.events.map(({ code }) => ({ code })),
        obscuredCode,
      ])
    })

    it('has no document that was removed, and keeps the others', async () => {
      const [one, other] = [await created(), await created()]
      const { entryUuid } = await current(one.uniqueId)
      await accept({ type: 'remove', ids: [entryUuid], entries: [] })
      expect(await told(one.uniqueId)).toEqual([])
      expect(await current(other.uniqueId)).toMatchObject({ uniqueId: other.uniqueId })
    })

    it('rejects another document under a name that is taken', async () => {
      const facts = await created()
      const { recipient } = community
      const submission = accepted({ ...facts, hash: 'b'.repeat(40) }, { kind: 'create' })
      await expect(recipient?.accept({ type: 'submit', submission }, call('TREATMENT'))).rejects.toMatchObject({
        code: 'community-rejected',
      })
    })

    it('rejects the hiding of a document it does not know', async () => {
      const hiding = { type: 'hide', patientId: patient, uniqueId: '2.16.840.1.113883.2.9.2.90.4.4^NOBODY' } as const
      await expect(community.recipient?.accept(hiding, call('UPDATE'))).rejects.toMatchObject({
        code: 'document-unknown',
      })
    })
  })
}

recipientBehaves('XDS.b', ({ urls: { registry, register, update, delete: remove } }) => ({
  ...{ registry, register, update, delete: remove },
}))

recipientBehaves('FHIR', ({ urls: { fhir } }) => ({ protocol: 'fhir', fhir, transactions: true }))

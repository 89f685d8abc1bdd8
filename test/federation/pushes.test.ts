import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { homeCommunityId } from '../../src/core/model/identifiers.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import type { DocumentFacts } from '../network/entry.ts'
import { type Network, startNetwork } from '../network/network.ts'
import { confidentiality, event } from '../network/value-sets.ts'
import { question, uniqueIds } from '../support/asking.ts'
import { homeOf } from '../support/gateway-config.ts'

const home = homeCommunityId(homeOf('tuscany'))

describe.each(['xds', 'fhir'] as const)('with a Tuscan record of protocol %s', (protocol) => {
  let network: Network
  beforeAll(async () => {
    network = await startNetwork({
      protocol,
      gateway: { deliveries: { firstRetryMs: 10, longestRetryMs: 10, mostAttempts: 1_000 } },
    })
  })
  afterAll(() => network[Symbol.asyncDispose]())
  beforeEach(async () => {
    for (const party of Object.values(network.parties)) await party.behave('normal')
  })

  const push = () => network.ini.push
  const found = async (key: 'tuscan' | 'lazio' = 'tuscan', role = 'AAS') =>
    uniqueIds(await question(network, key, { role }))
  const codes = (answer: { readonly issues: readonly { readonly code: string }[] }) =>
    answer.issues.map(({ code }) => code)
  const registered = (document: DocumentFacts) =>
    network.record.registered.until((one) => one.uniqueId === document.uniqueId)

  /** Looks until it is so. */
  const until = <T>(look: () => T | Promise<T>) => vi.waitUntil(look, { timeout: 15_000, interval: 10 })

  /** A document that our record has taken in. */
  async function kept(wishes: Parameters<Network['ini']['push']['document']>[0] = {}) {
    const document = push().document(wishes)
    expect((await push().create(document)).status).toBe('Success')
    return { document, former: (await registered(document)).entry }
  }

  describe('a document that INI communicates', () => {
    it('is in the index at once, and in our record soon', async () => {
      const document = push().document()
      expect(await push().create(document)).toMatchObject({ status: 'Success', issues: [] })
      expect(await found()).toContain(document.uniqueId)
      expect((await registered(document)).by).toBe(protocol === 'fhir' ? 'FHIR' : 'ITI-42')
      await until(async () => (await waiting()).length === 0)
      expect(await found()).toContain(document.uniqueId)
    })

    it('is in the index while our record is down, and gets there when it is up', async () => {
      await network.record.behave('down')
      // Citing no prescription: while it cannot be known whether that is hidden, what cites it is not told.
      const document = push().document({ change: { references: [] } })
      expect((await push().create(document)).status).toBe('Success')
      expect(await found()).toContain(document.uniqueId)
      await network.record.behave('normal')
      await registered(document)
    })

    it('is answered with R224 when it comes again', async () => {
      const { document } = await kept()
      const again = await push().create(document)
      expect(again.status).toBe('Failure')
      expect(codes(again)).toEqual(['R224'])
    })

    it('is refused with the code of the affinity domain, and the object named', async () => {
      const document = push().document({ events: [], confidentiality: confidentiality('V') })
      const answer = await push().create(document)
      expect(answer.status).toBe('Failure')
      expect(codes(answer)).toEqual(['R227'])
      expect(await found()).not.toContain(document.uniqueId)
    })

    it.each([
      ['a role that may not', { role: 'NOR' }, 'PFA14'],
      ['an action that is not this', { action: 'READ' }, 'PFA14'],
    ])('is refused by a fault of INI’s form for %s', async (_, wishes, code) => {
      const answer = await push().create(push().document(), wishes)
      expect(answer.fault).toMatchObject({ iniCode: code })
    })

    it('replaces another, which nobody finds any more', async () => {
      const { document, former } = await kept()
      const newer = push().document()
      expect(await push().replace(newer, former)).toMatchObject({ status: 'Success' })
      const index = await found()
      expect(index).toContain(newer.uniqueId)
      expect(index).not.toContain(document.uniqueId)
      expect((await registered(newer)).change).toBe('replace')
    })
  })

  describe('an update', () => {
    it('is of the version it was made from, and is done once', async () => {
      const { document, former } = await kept()
      const changed = { ...document, title: 'Referto corretto' }
      expect(await push().update(changed, former)).toMatchObject({ status: 'Success' })
      await network.record.registered.until((one) => one.uniqueId === document.uniqueId && one.version === '2')
      const stale = await push().update({ ...document, title: 'Altro' }, former)
      expect(codes(stale)).toEqual(['R221'])
    })

    it('of the old form is one too', async () => {
      const { document, former } = await kept()
      expect(await push().updateOldWay({ ...document, title: 'Referto corretto' }, former)).toMatchObject({
        status: 'Success',
      })
      await network.record.registered.until((one) => one.uniqueId === document.uniqueId && one.version === '2')
    })

    it('that obscures a document hides it from then on', async () => {
      const { document, former } = await kept()
      expect(await found()).toContain(document.uniqueId)
      const hidden = { ...document, events: [event('P99')] }
      expect(await push().update(hidden, former)).toMatchObject({ status: 'Success' })
      expect(await found()).not.toContain(document.uniqueId)
      expect(await found('tuscan', 'ASS')).toContain(document.uniqueId)
    })
  })

  describe('a document that is updated', () => {
    // While our record is down, what cites a prescription is shown to nobody: whether that is obscured is not known.
    const alone = { change: { references: [] } }
    const byId = async (id: string) => {
      const documents = { by: 'entry-uuid', ids: [id] } as const
      return uniqueIds(
        await question(network, 'tuscan', { query: { type: 'GetDocuments', documents, home, extra: [] } }),
      )
    }
    const idNow = async (document: DocumentFacts) => {
      const { entries } = await question(network, 'tuscan')
      return entries.find(({ uniqueId }) => uniqueId === document.uniqueId)?.entryUuid ?? ''
    }
    const settled = () => until(async () => (await waiting()).length === 0)

    it('is found by the ids of before and after, while that is on its way and from then on', async () => {
      const { document, former } = await kept(alone)
      await network.record.behave('down')
      const changed = { ...document, title: 'Referto corretto' }
      expect(await push().update(changed, former)).toMatchObject({ status: 'Success' })
      const id = await idNow(document)
      expect(id).not.toBe(former.entryUuid)
      for (const one of [former.entryUuid, id]) expect(await byId(one)).toEqual([document.uniqueId])
      await network.record.behave('normal')
      await settled()
      expect(await idNow(document)).toBe(id)
      for (const one of [former.entryUuid, id]) expect(await byId(one)).toEqual([document.uniqueId])
    })

    it.each(['down', 'normal'] as const)(
      'is not replaced under the id of a former version, where the record keeps those (%s)',
      async (behaviour) => {
        const { document, former } = await kept(alone)
        await network.record.behave(behaviour)
        await push().update({ ...document, title: 'Referto corretto' }, former)
        if (behaviour === 'normal') await settled()
        const newer = push().document(alone)
        const answer = await push().replace(newer, former)
        await network.record.behave('normal')
        if (protocol === 'xds') {
          expect(codes(answer)).toEqual(['XDSRegistryDeprecatedDocumentError'])
          return
        }
        expect(answer).toMatchObject({ status: 'Success' })
        expect(await found()).not.toContain(document.uniqueId)
        await registered(newer)
        await settled()
        const index = await found()
        expect(index).toContain(newer.uniqueId)
        expect(index).not.toContain(document.uniqueId)
      },
    )

    it('is updated again from what it is by then', async () => {
      const { document, former } = await kept(alone)
      await network.record.behave('down')
      await push().update({ ...document, title: 'Referto corretto' }, former)
      const next = { entryUuid: await idNow(document), version: '2' }
      expect(await push().update({ ...document, title: 'Referto completo' }, next)).toMatchObject({ status: 'Success' })
      const id = await idNow(document)
      await network.record.behave('normal')
      await settled()
      expect(await idNow(document)).toBe(id)
      for (const one of [former.entryUuid, next.entryUuid, id]) expect(await byId(one)).toEqual([document.uniqueId])
      const { entries } = network.record.holdings
      const current = entries.filter((one) => one.uniqueId === document.uniqueId && one.status === 'Approved')
      expect(current).toMatchObject([{ version: '3', title: 'Referto completo' }])
    })

    it('is removed under the id it has', async () => {
      const { document, former } = await kept(alone)
      await push().update({ ...document, title: 'Referto corretto' }, former)
      const id = await idNow(document)
      expect(await push().remove('tuscan', [id])).toMatchObject({ status: 'Success', issues: [] })
      expect(await found()).not.toContain(document.uniqueId)
      await settled()
      expect(await found()).not.toContain(document.uniqueId)
    })

    it('is removed under an id it had, or that version of it is where the record keeps versions', async () => {
      const { document, former } = await kept(alone)
      await network.record.behave('down')
      await push().update({ ...document, title: 'Referto corretto' }, former)
      expect(await push().remove('tuscan', [former.entryUuid])).toMatchObject({ status: 'Success', issues: [] })
      const expected = protocol === 'xds' ? [document.uniqueId] : []
      const left = async () => (await found()).filter((id) => id === document.uniqueId)
      expect(await left()).toEqual(expected)
      await network.record.behave('normal')
      await settled()
      expect(await left()).toEqual(expected)
    })
  })

  describe('a removal', () => {
    it('takes effect at once, and again does no harm', async () => {
      const { document, former } = await kept()
      expect(await push().remove('tuscan', [former.entryUuid])).toMatchObject({ status: 'Success', issues: [] })
      expect(await found()).not.toContain(document.uniqueId)
      expect(await push().remove('tuscan', [former.entryUuid])).toMatchObject({ status: 'Success', issues: [] })
      await network.record.registered.until((one) => one.uniqueId === document.uniqueId && one.change === 'remove')
      expect((await push().create(document)).status).toBe('Success')
    })

    it('of what was removed and of something else removes that', async () => {
      const [first, second] = [await kept(), await kept()]
      await push().remove('tuscan', [first.former.entryUuid])
      const both = [first.former.entryUuid, second.former.entryUuid]
      expect(await push().remove('tuscan', both)).toMatchObject({ status: 'Success', issues: [] })
      expect(await found()).not.toContain(second.document.uniqueId)
    })

    it('of somebody else’s document is refused', async () => {
      const { former, document } = await kept()
      const answer = await push().remove('lazio', [former.entryUuid])
      expect(answer.status).toBe('Failure')
      expect(['UnresolvedReferenceException', 'XDSRegistryError']).toEqual(expect.arrayContaining(codes(answer)))
      expect(await found()).toContain(document.uniqueId)
    })
  })

  describe('a hiding', () => {
    it('that INI notifies us of takes effect at once, and is carried to our record', async () => {
      const { document } = await kept()
      expect(await found()).toContain(document.uniqueId)
      const told = await push().notifyHiding({ patient: document.patient, document: document.uniqueId })
      expect(told).toMatchObject({ status: 'Success' })
      expect(await found()).not.toContain(document.uniqueId)
      const { entry } = await network.record.registered.until(
        (one) => one.uniqueId === document.uniqueId && one.change === 'update',
      )
      expect(entry.events.map(({ code }) => code)).toContain('P99')
      expect(network.record.holdings.entries).toContainEqual(entry)
      expect(entry).toMatchObject({ status: 'Approved', version: '2' })
      expect(await found()).not.toContain(document.uniqueId)
    })

    it('of a document that nobody knows yet waits for it, and hides it from its communication on', async () => {
      const document = push().document({ change: { references: [] } })
      expect(await push().notifyHiding({ patient: document.patient, document: document.uniqueId })).toMatchObject({
        status: 'Success',
      })
      expect((await push().create(document)).status).toBe('Success')
      expect(await found()).not.toContain(document.uniqueId)
      const { entry } = await registered(document)
      expect(entry.events.map(({ code }) => code)).toContain('P99')
      expect(await found()).not.toContain(document.uniqueId)
    })

    it('of a prescription hides what cites it, and INI finds the chain to hide', async () => {
      const { nre, prescription, reports, dispensing } = push().prescribed('tuscan')
      const chain = [prescription, ...reports, dispensing]
      for (const one of chain) expect((await push().create(one)).issues).toEqual([])
      for (const one of chain) await registered(one)
      const hidden = { ...prescription, events: [...prescription.events, event('P99')] }
      expect(await push().update(hidden, (await registered(prescription)).entry)).toMatchObject({ status: 'Success' })
      const before = await found()
      for (const one of chain) expect(before).not.toContain(one.uniqueId)
      const story = await push().hidingChain('tuscan', nre)
      expect([...story.hidden].sort()).toEqual([...reports, dispensing].map(({ uniqueId }) => uniqueId).sort())
      for (const notice of story.notices) expect(notice).toMatchObject({ status: 'Success' })
      for (const one of [...reports, dispensing]) {
        await network.record.registered.until(
          ({ uniqueId, change }) => uniqueId === one.uniqueId && change === 'update',
        )
      }
    })
  })

  describe('the index of somebody who moves', () => {
    it('is read in chunks with what is obscured, and what moved is removed', async () => {
      const { document } = await kept({ events: [event('P99')] })
      const transfer = await push().indexTransfer('tuscan', { chunk: 7, to: '120' })
      expect(transfer.documents.map(({ uniqueId }) => uniqueId)).toContain(document.uniqueId)
      expect(transfer.chunks.length).toBeGreaterThan(1)
      for (const removal of transfer.removals) expect(removal).toMatchObject({ status: 'Success' })
      // Regions that keep documents of theirs go on telling of them themselves.
      const left = await push().searchAs('050', 'tuscan')
      expect(left.documents).toEqual([])
    })

    it('is not read by who names no transfer', async () => {
      const transfer = await push().indexTransfer('tuscan', {
        claims: { attributes: { IndexTransferId: undefined } },
      } as never)
      expect(transfer.search.fault).toBeDefined()
    })

    it('arrives with us as INI pushes it', async () => {
      const document = push().document()
      expect(await push().transferIn(document)).toMatchObject({ status: 'Success' })
      await registered(document)
    })
  })

  describe('INI asking as the regions do', () => {
    it('finds in our index what a doctor of another region may see', async () => {
      const { document } = await kept()
      const answer = await push().searchAs('050', 'tuscan')
      expect(answer.documents.map(({ uniqueId }) => uniqueId)).toContain(document.uniqueId)
    })

    it('gets references for the author, and nothing for anybody else', async () => {
      const { document } = await kept()
      expect((await push().references(document)).references).toHaveLength(1)
      const stranger = await push().references(document, {
        claims: { subject: 'VRDGPP60A01H501U^^^&2.16.840.1.113883.2.9.4.3.2&ISO' },
      })
      expect(stranger.references).toEqual([])
    })
  })

  async function waiting() {
    await using store = await sqliteStore({ path: network.gateway.store })
    return await store.outbox.list({ limit: 100 })
  }
})

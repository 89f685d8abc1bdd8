import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DocumentEntry } from '../../../../src/core/model/metadata.ts'
import { asNewVersion } from '../../../../src/wire/ebrim/new-version.ts'
import { decodeSubmitObjects, encodeSubmitObjects } from '../../../../src/wire/ebrim/submit-objects.ts'
import { readTree } from '../../../../src/wire/xml.ts'
import { entry, submissionSet } from '../../../support/builders.ts'
import { documentEntry } from './arbitraries.ts'
import { findAll } from './canonical.ts'

const former = '0a0a0a0a-0000-4000-8000-00000000000a'
const bound = { attributes: { id: 'urn:uuid:c1', lid: 'urn:uuid:c1', classifiedObject: former, home: 'urn:oid:1.2' } }

function written(document: DocumentEntry) {
  const body = encodeSubmitObjects({
    submissionSet: submissionSet('s'),
    entries: [document],
    folders: [],
    associations: [],
  })
  return readTree(Buffer.from(body))
}

describe('an entry as a new version', () => {
  const told = entry(former, {
    logicalId: `urn:uuid:${former}`,
    version: '2',
    typeCode: { code: '11502-2', scheme: 'x', extra: bound },
    eventCodes: [{ code: 'pay', scheme: 'x', extra: { ...bound, slots: [{ name: 'mark', values: ['1'] }] } }],
    extra: {
      attributes: { isOpaque: 'true' },
      classifications: [{ scheme: 'urn:uuid:q', value: 'v', extra: bound }],
      of: { uniqueId: { attributes: { id: 'urn:uuid:i1', registryObject: former } } },
    },
  })

  it('no longer names the object it was read from, nor ids that are taken', () => {
    const tree = written(asNewVersion(told, 'urn:uuid:new'))
    const [document = -1] = findAll(tree, 'ExtrinsicObject')
    const members = [...findAll(tree, 'Classification', document), ...findAll(tree, 'ExternalIdentifier', document)]
    expect(members.length).toBeGreaterThan(4)
    for (const member of members) {
      const owner = tree.attribute(member, 'classifiedObject') ?? tree.attribute(member, 'registryObject')
      expect(owner).toBe('urn:uuid:new')
      expect(tree.attribute(member, 'id')).toMatch(/^urn:uuid:new\./)
      expect(tree.attribute(member, 'lid')).toBeUndefined()
    }
  })

  it('says everything else as before', () => {
    const version = asNewVersion(told, 'urn:uuid:new')
    expect(version).toMatchObject({ logicalId: `urn:uuid:${former}`, version: '2', uniqueId: told.uniqueId })
    expect(version.eventCodes[0]?.extra).toEqual({
      attributes: { home: 'urn:oid:1.2' },
      slots: [{ name: 'mark', values: ['1'] }],
    })
    expect(version.extra?.attributes).toEqual({ isOpaque: 'true' })
  })

  it('can be written and read, whatever came with it', () => {
    fc.assert(
      fc.property(documentEntry, (any) => {
        fc.pre(any.uniqueId.trim() !== '')
        const version = asNewVersion(any, 'urn:uuid:00000000-0000-4000-8000-00000000000b')
        const tree = written(version)
        const [again] = decodeSubmitObjects(tree, tree.root).entries
        expect({ ...again, extra: undefined }).toMatchObject({
          entryUuid: version.entryUuid,
          uniqueId: any.uniqueId,
          patientId: any.patientId,
        })
      }),
      { numRuns: 40 },
    )
  })
})

import { describe, expect, it } from 'vitest'
import { organizationHome } from '../../../contracts/affinity-domain/organizations.ts'
import { CliError } from '../../../src/cli/exit.ts'
import { notices } from '../../../src/cli/notify.ts'
import { decodeNotifyConsent } from '../../../src/wire/ini/notify-consent.ts'
import { decodeNotifyHiding } from '../../../src/wire/ini/notify-hiding.ts'
import { decodeNotifyRetrieve } from '../../../src/wire/ini/notify-retrieve.ts'
import { decodeNotifySubmitObjects } from '../../../src/wire/ini/notify-submit-objects.ts'
import { type Node, readTree, type XmlTree } from '../../../src/wire/xml.ts'
import { citizen, homes, loinc } from '../../support/builders.ts'

type Values = Parameters<(typeof notices)['submit']>[1]

const values = (more: Partial<Values> = {}): Values => ({
  ...{ as: 'ini', identities: '', federation: '', json: false, show: false },
  ...{ purpose: 'TREATMENT', locality: '050', give: [], withdraw: [] },
  ...more,
})

function read<T>(kind: keyof typeof notices, decode: (tree: XmlTree, body: Node) => T, more: Partial<Values>): T {
  const tree = readTree(Buffer.from(notices[kind](citizen, values(more)).body))
  return decode(tree, tree.root)
}

const homeOf = (code: string) => organizationHome(code)
const document = '2.16.840.1.113883.2.9.2.50.4.4^A'
const repository = '2.16.840.1.113883.2.9.2.50.4.5.910'

describe('a notification by hand', () => {
  it('of a registration names the region of assistance', () => {
    expect(
      read('submit', (tree, body) => decodeNotifySubmitObjects(tree, body, homeOf), { document, repository }),
    ).toEqual({
      ...{ type: 'documents-submitted', patientId: citizen, home: homes.tuscany },
      ...{ repositoryUniqueId: repository, uniqueId: document },
    })
  })

  it('of a retrieval names who retrieved what', () => {
    const more = { document, repository, type: '11502-2', role: 'APR', requestor: 'CLNCXX75C03F839M' }
    expect(read('retrieve', (tree, body) => decodeNotifyRetrieve(tree, body, homeOf), more)).toEqual({
      ...{ type: 'document-retrieved', patientId: citizen, repositoryUniqueId: repository, uniqueId: document },
      ...{
        typeCode: { code: '11502-2', scheme: loinc },
        requestor: 'CLNCXX75C03F839M^^^&2.16.840.1.113883.2.9.4.3.2&ISO',
      },
      ...{ requestorRole: 'APR', purposeOfUse: 'TREATMENT', locality: '050' },
    })
  })

  it('of a hiding names the document, since when, and because of which other', () => {
    const more = { document, source: '2.16.840.1.113883.2.9.2.50.4.4^B', at: '2026-11-25T10:00:00+01:00' }
    expect(read('hiding', decodeNotifyHiding, more)).toEqual({
      ...{ type: 'hide', patientId: citizen, uniqueId: document },
      ...{ sourceUniqueId: '2.16.840.1.113883.2.9.2.50.4.4^B', since: '20261125090000+0000' },
    })
  })

  it('of consents names those that are given and those that are not', () => {
    const { consents } = read('consent', decodeNotifyConsent, { give: ['C1', 'C2'], withdraw: ['C3'] })
    expect(consents.map(({ name, given }) => [name, given])).toEqual([
      ['C1', true],
      ['C2', true],
      ['C3', false],
    ])
  })

  it.each<[string, keyof typeof notices, Partial<Values>]>([
    ['a registration of no document', 'submit', { repository }],
    ['a registration in no repository', 'submit', { document }],
    ['a registration for nobody we know', 'submit', { document, repository, home: '1' }],
    ['a retrieval of an unknown type', 'retrieve', { document, repository, type: 'x' }],
    ['a hiding of no document', 'hiding', {}],
    ['a hiding at no time', 'hiding', { document, at: 'yesterday' }],
    ['consents that are none', 'consent', {}],
  ])('is refused when it would be %s', (_what, kind, more) => {
    expect(() => notices[kind](citizen, values(more))).toThrow(CliError)
  })
})

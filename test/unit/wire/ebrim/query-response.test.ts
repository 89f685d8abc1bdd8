import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../../src/core/errors.ts'
import { nothingFound } from '../../../../src/core/model/answers.ts'
import { homeCommunityId } from '../../../../src/core/model/identifiers.ts'
import type { DocumentEntry } from '../../../../src/core/model/metadata.ts'
import {
  type DecodedQueryResponse,
  type DecodeResponseOptions,
  decodeQueryResponse,
  encodeQueryResponse,
} from '../../../../src/wire/ebrim/query-response.ts'
import { queryAnswer, text, uuid } from './arbitraries.ts'

const tuscany = homeCommunityId('urn:oid:2.16.840.1.113883.2.9.2.90')
const status = 'urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success'
const rim = 'urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0'
const id = 'urn:uuid:08a15a6f-5b4a-42de-8f95-89474f83abdf'

const identifiers = (owner = id) =>
  `<r:ExternalIdentifier id="p" identificationScheme="urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427" registryObject="${owner}" value="RSSMRA75C03F839K^^^&amp;2.16.840.1.113883.2.9.4.3.2&amp;ISO"/>` +
  `<r:ExternalIdentifier id="u" identificationScheme="urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab" registryObject="${owner}" value="1.2.3^1"/>`

const slot = (name: string, ...values: string[]) =>
  `<r:Slot name="${name}"><r:ValueList>${values.map((value) => `<r:Value>${value}</r:Value>`).join('')}</r:ValueList></r:Slot>`

const code = (scheme: string, value: string, more = slot('codingScheme', '1.2')) =>
  `<r:Classification id="c" classificationScheme="urn:uuid:${scheme}" classifiedObject="${id}" nodeRepresentation="${value}">${more}</r:Classification>`

const object = (
  content: string,
  attributes = `id="${id}" objectType="urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1"`,
) => `<r:ExtrinsicObject ${attributes}>${content}</r:ExtrinsicObject>`

const response = (content: string, attributes = `status="${status}"`) =>
  `<q:AdhocQueryResponse xmlns:q="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0" xmlns:r="${rim}" ${attributes}>${content}</q:AdhocQueryResponse>`

const list = (...objects: string[]) => response(`<r:RegistryObjectList>${objects.join('')}</r:RegistryObjectList>`)

const envelope = (body: string, header = '', soap = 'http://www.w3.org/2003/05/soap-envelope') =>
  `<s:Envelope xmlns:s="${soap}"><s:Header>${header}</s:Header><s:Body>${body}</s:Body></s:Envelope>`

async function decoded(xml: string, options?: DecodeResponseOptions): Promise<DecodedQueryResponse> {
  const message = await decodeQueryResponse(Buffer.from(xml), options)
  if (message.fault !== undefined) throw new Error('a fault')
  return message
}

async function entry(content: string, attributes?: string): Promise<DocumentEntry> {
  const { answer } = await decoded(list(object(content, attributes)))
  expect(answer.issues).toEqual([])
  return answer.entries[0]!
}

async function leftOut(...objects: string[]): Promise<string> {
  const { answer } = await decoded(list(object(identifiers()), ...objects))
  expect(answer.entries).toHaveLength(1)
  expect(answer.issues).toHaveLength(1)
  expect(answer.issues[0]).toMatchObject({ severity: 'warning', code: 'XDSRegistryMetadataError' })
  return answer.issues[0]!.text
}

describe('a response as it comes in', () => {
  it.each(['http://www.w3.org/2003/05/soap-envelope', 'http://schemas.xmlsoap.org/soap/envelope/'])(
    'is read out of its envelope (%s), with what its header says',
    async (soap) => {
      const header =
        '<Action xmlns="http://www.w3.org/2005/08/addressing"> urn:ihe:iti:2007:RegistryStoredQueryResponse </Action>' +
        '<other><RelatesTo>no</RelatesTo></other><a:RelatesTo xmlns:a="http://www.w3.org/2005/08/addressing">urn:uuid:1</a:RelatesTo>'
      expect(await decoded(envelope(list(object(identifiers())), header, soap))).toMatchObject({
        header: { relatesTo: 'urn:uuid:1', action: 'urn:ihe:iti:2007:RegistryStoredQueryResponse' },
        status: 'success',
        answer: { entries: [{ uniqueId: '1.2.3^1' }] },
      })
    },
  )

  it('is read when it stands alone, even with the body before the header', async () => {
    expect((await decoded(list(object(identifiers())))).answer.entries).toHaveLength(1)
    const odd = envelope(response('')).replace(/(<s:Header>.*<\/s:Header>)(<s:Body>.*<\/s:Body>)/, '$2$1')
    expect((await decoded(odd)).status).toBe('success')
  })

  it.each([
    [status, 'success'],
    ['urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure', 'failure'],
    ['urn:ihe:iti:2007:ResponseStatusType:PartialSuccess', 'partial-success'],
    ['urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:PartialSuccess', 'partial-success'],
    ['Success', 'success'],
  ])('with the status %s is a %s', async (told, expected) => {
    expect((await decoded(response('', `status="${told}" requestId="urn:uuid:7"`))).status).toBe(expected)
  })

  it('may carry slots of its own', async () => {
    const { responseSlots, requestId } = await decoded(
      response(
        `<r:ResponseSlotList>${slot('x', '1', '2')}</r:ResponseSlotList>`,
        `status="${status}" requestId="urn:uuid:7"`,
      ),
    )
    expect(responseSlots).toEqual([{ name: 'x', values: ['1', '2'] }])
    expect(requestId).toBe('urn:uuid:7')
  })

  it('is a list of errors when INI has only those to tell', async () => {
    const errors =
      '<e:RegistryErrorList><e:RegistryError codeContext="The requestor is RDA for the patient" errorCode="R220" severity="urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Warning"/></e:RegistryErrorList>'
    const xml = `<e:RegistryResponse xmlns:e="urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0" status="urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure">${errors}</e:RegistryResponse>`
    expect(await decoded(envelope(xml))).toMatchObject({
      status: 'failure',
      answer: {
        ...nothingFound,
        issues: [{ severity: 'warning', code: 'R220', text: 'The requestor is RDA for the patient' }],
      },
    })
  })

  it('has its errors read from whatever namespace, with a severity spelled or missing in whatever way', async () => {
    const { answer } = await decoded(
      response(
        '<r:RegistryErrorList>' +
          '<r:RegistryError errorCode="A" codeContext="a" severity="oasis:names:tc:ebxml-regrep:ErrorSeverityType:Error" location="urn:oid:1.2"/>' +
          '<r:RegistryError errorCode="B" codeContext="b" severity="Warning" location=""/>' +
          '<r:RegistryError codeContext="c"/></r:RegistryErrorList>',
      ),
    )
    expect(answer.issues).toEqual([
      { severity: 'error', code: 'A', text: 'a', location: 'urn:oid:1.2' },
      { severity: 'warning', code: 'B', text: 'b' },
      { severity: 'error', code: 'XDSRegistryError', text: 'c' },
    ])
  })

  it('may be a fault, with the details INI puts under wrongly bound prefixes', async () => {
    const xml = envelope(
      '<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value xmlns:w="urn:w">w:FailedAuthentication</s:Value></s:Subcode></s:Code>' +
        '<s:Reason><s:Text xml:lang="en"> Missing attributes </s:Text></s:Reason>' +
        '<s:Detail><w:InvalidSecurityToken xmlns:w="http://docs.oasis- open.org/wsrf/r-2"><b:Timestamp xmlns:b="urn:b">2025-05-21</b:Timestamp>' +
        '<b:ErrorCode xmlns:b="urn:b">PIT2</b:ErrorCode><b:Description xmlns:b="urn:b">Missing</b:Description></w:InvalidSecurityToken></s:Detail></s:Fault>',
    )
    expect(await decodeQueryResponse(Buffer.from(xml))).toEqual({
      header: {},
      fault: {
        code: 'Receiver',
        subcode: 'FailedAuthentication',
        reason: 'Missing attributes',
        detail: { errorCode: 'PIT2', description: 'Missing', timestamp: '2025-05-21' },
      },
    })
  })

  it('may be a fault of SOAP 1.1', async () => {
    const xml = envelope(
      '<s:Fault><faultcode>s:Server</faultcode><faultstring>Internal Error</faultstring></s:Fault>',
      '',
      'http://schemas.xmlsoap.org/soap/envelope/',
    )
    expect(await decodeQueryResponse(Buffer.from(xml))).toMatchObject({
      fault: { code: 'Server', reason: 'Internal Error', detail: {} },
    })
  })

  it.each([
    ['nothing', ''],
    ['a web page', '<html><body/></html>'],
    ['an envelope without a body', '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"/>'],
    ['an empty body', envelope('')],
    ['another response', envelope('<x/>')],
    ['no status', response('', '')],
    ['a status nobody knows', response('', 'status="urn:example:Perhaps"')],
    ['XML that ends too early', list(object(identifiers())).slice(0, -30)],
    ['text after the end', `${list()}<more/>`],
    ['a document type', `<!DOCTYPE x>${list()}`],
  ])('is the community misbehaving when it is %s', async (_, xml) => {
    const error: unknown = await decodeQueryResponse(Buffer.from(xml)).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(GatewayError)
    expect((error as GatewayError).code).toBe('community-misbehaved')
  })

  it('gives way after every object, and waits as long as it is told to', async () => {
    let pauses = 0
    let waited = 0
    const pause = () => {
      if (++pauses % 2 === 1) return undefined
      return Promise.resolve().then(() => {
        waited++
      })
    }
    await decoded(list(...Array.from({ length: 5 }, () => object(identifiers()))), { pause })
    expect([pauses, waited]).toEqual([5, 2])
  })

  it('stops when the pause throws', async () => {
    const pause = () => Promise.reject(new GatewayError('caller-gone', 'gone'))
    await expect(decodeQueryResponse(Buffer.from(list(object(identifiers()))), { pause })).rejects.toMatchObject({
      code: 'caller-gone',
    })
  })
})

describe('one odd object', () => {
  it.each([
    ['has no uniqueId', object(identifiers().replace(/<[^<]*1\.2\.3\^1"\/>/, '')), 'it has no uniqueId'],
    ['has no patientId', object(identifiers().replace(/^<[^<]*>/, '')), 'it has no patientId'],
    ['has a uniqueId that is empty', object(identifiers().replace('1.2.3^1', '')), 'its uniqueId is empty'],
    ['has two', object(identifiers() + identifiers()), 'it has more than one patientId'],
    [
      'names a patient without an authority',
      object(identifiers().replace(/value="RSS[^"]*"/, 'value="RSSMRA"')),
      'its patientId is not of the form ID^^^&OID&ISO',
    ],
    ['has two hashes', object(slot('hash', 'a', 'b') + identifiers()), 'its hash has more than one value'],
    [
      'tells its size twice',
      object(slot('size', '1') + slot('size', '2') + identifiers()),
      'its size has more than one value',
    ],
    [
      'tells its size twice, once badly',
      object(slot('size', 'x') + slot('size', '2') + identifiers()),
      'its size has more than one value',
    ],
    [
      'has two types',
      object(
        code('f0306f51-975f-434e-a61c-c59651d33983', 'a') +
          code('f0306f51-975f-434e-a61c-c59651d33983', 'b') +
          identifiers(),
      ),
      'it has more than one typeCode',
    ],
    [
      'has a code of two schemes',
      object(code('f0306f51-975f-434e-a61c-c59651d33983', 'a', slot('codingScheme', '1', '2')) + identifiers()),
      'a code of it has more than one coding scheme',
    ],
  ])('is left out when it %s; the others stand', async (_, odd, reason) => {
    expect(await leftOut(odd)).toBe(`Left out ExtrinsicObject ${id}: ${reason}`)
  })

  it('is left out without an id, or when it is of a kind that has no place here', async () => {
    expect(await leftOut(object(identifiers(), ''))).toBe('Left out ExtrinsicObject: it has no id')
    expect(await leftOut('<r:Organization id="1"/>')).toBe(
      'Left out Organization 1: objects of this kind have no place in an answer',
    )
    expect(await leftOut('<r:RegistryPackage id="1"/>')).toBe(
      'Left out RegistryPackage 1: it is neither a submission set nor a folder',
    )
    expect(await leftOut('<r:Association id="1" sourceObject="a" targetObject="b"/>')).toBe(
      'Left out Association 1: it has no type',
    )
    expect(await leftOut('<r:ObjectRef id="1" home="x"/>')).toBe(
      'Left out ObjectRef 1: its home is not a homeCommunityId',
    )
    expect(await leftOut('<r:Classification classifiedObject="x"/>')).toContain('outside the object it classifies')
  })

  it('is told to whoever counts them, never with a value of it', async () => {
    const reasons: string[] = []
    const odd = object(slot('hash', 'SECRET', 'SECRET') + identifiers(), 'id="SECRET, of course"')
    const { answer } = await decoded(list(odd), { onOddEntry: (reason) => reasons.push(reason) })
    expect(reasons).toEqual(['its hash has more than one value'])
    expect(JSON.stringify(answer)).not.toContain('SECRET')
  })
})

describe('a document entry', () => {
  it('has a value it cannot use kept beside it', async () => {
    const read = await entry(
      slot('size', '12 kB') +
        slot('creationTime', '2024-01-01') +
        slot('hash', 'sha1-of-the-document') +
        slot('languageCode') +
        identifiers(),
    )
    expect(read).not.toHaveProperty('size')
    expect(read).not.toHaveProperty('creationTime')
    expect(read).not.toHaveProperty('hash')
    expect(read.extra?.slots).toEqual([
      { name: 'size', values: ['12 kB'] },
      { name: 'creationTime', values: ['2024-01-01'] },
      { name: 'hash', values: ['sha1-of-the-document'] },
      { name: 'languageCode', values: [] },
    ])
    const again = encodeQueryResponse(
      { ...nothingFound, entries: [read] },
      { status: 'success', returnType: 'LeafClass', errors: [] },
    )
    expect((await decoded(again)).answer.entries).toEqual([read])
  })

  it('has a hash in base64 compared as digits and told on as it was told', async () => {
    const read = await entry(slot('hash', 'OIiJ+Xo5aVAyub3lopWAxvwATIM=') + identifiers())
    expect(read.hash).toBe('388889f97a39695032b9bde5a29580c6fc004c83')
    const again = encodeQueryResponse(
      { ...nothingFound, entries: [read] },
      { status: 'success', returnType: 'LeafClass', errors: [] },
    )
    expect(again).toContain('OIiJ+Xo5aVAyub3lopWAxvwATIM=')
    expect(again).not.toContain('388889f97a39695032b9bde5a29580c6fc004c83')
    expect((await decoded(again)).answer.entries).toEqual([read])
  })

  it('compares hashes in small letters and tells them on as they were told', async () => {
    const read = await entry(slot('hash', 'C38889F97A39695032B9BDE5A29580C6FC004C83') + identifiers())
    expect(read.hash).toBe('c38889f97a39695032b9bde5a29580c6fc004c83')
    const written = encodeQueryResponse(
      { ...nothingFound, entries: [read] },
      { status: 'success', returnType: 'LeafClass', errors: [] },
    )
    expect(written.match(/[Cc]38889[Ff]97/g)).toEqual(['C38889F97'])
    const changed = { ...read, hash: '0000000000000000000000000000000000000000' }
    expect(
      encodeQueryResponse(
        { ...nothingFound, entries: [changed] },
        { status: 'success', returnType: 'LeafClass', errors: [] },
      ),
    ).not.toContain('C38889F97')
  })

  it('keeps the spelling of its patient only while it is the same patient', async () => {
    const read = await entry(identifiers().replace('^^^&amp;', '^^^CF&amp;'))
    const write = (one: DocumentEntry) =>
      encodeQueryResponse(
        { ...nothingFound, entries: [one] },
        { status: 'success', returnType: 'LeafClass', errors: [] },
      )
    expect(write(read)).toContain('RSSMRA75C03F839K^^^CF&amp;2.16')
    const other = write({ ...read, patientId: { ...read.patientId, value: '1' } })
    expect(other).toContain('value="1^^^&amp;2.16')
    expect(other).not.toContain('RSSMRA')
  })

  it('has its values without the white space of pretty printing; what nobody knows stays as it is', async () => {
    const read = await entry(
      slot('repositoryUniqueId', '\n  1.2.3\n ') + slot('size', ' 12 ') + slot('x', ' y ') + identifiers(),
    )
    expect(read).toMatchObject({ repositoryUniqueId: '1.2.3', size: 12 })
    expect(read.extra?.slots).toEqual([{ name: 'x', values: [' y '] }])
  })

  it('keeps the type of a slot it understands', async () => {
    const typed = slot('languageCode', 'it-IT').replace('name=', 'slotType="urn:example:type" name=')
    const read = await entry(typed + identifiers())
    expect(read).toMatchObject({
      languageCode: 'it-IT',
      extra: { of: { languageCode: { attributes: { slotType: 'urn:example:type' } } } },
    })
    const again = encodeQueryResponse(
      { ...nothingFound, entries: [read] },
      { status: 'success', returnType: 'LeafClass', errors: [] },
    )
    expect((await decoded(again)).answer.entries).toEqual([read])
  })

  it('collects the values of a list told in several slots', async () => {
    const read = await entry(
      slot('sourcePatientInfo', 'PID-5|A') + slot('sourcePatientInfo', 'PID-8|F') + identifiers(),
    )
    expect(read.sourcePatientInfo).toEqual(['PID-5|A', 'PID-8|F'])
  })

  it('is stable unless it says otherwise, and keeps a home it cannot use beside it', async () => {
    const read = await entry(identifiers(), `id="${id}" home="here"`)
    expect(read).toMatchObject({ kind: 'stable', extra: { attributes: { home: 'here' } } })
    expect(read).not.toHaveProperty('home')
    expect((await entry(identifiers(), `id="${id}" home="2.16.840.1.113883.2.9.2.90"`)).home).toBe(tuscany)
    expect(
      (await entry(identifiers(), `id="${id}" objectType="urn:uuid:34268e47-fdf5-41a6-ba33-82133c465248"`)).kind,
    ).toBe('on-demand')
  })

  it('has the display of a code without the defaults of the schema, and keeps what goes beyond them', async () => {
    const named = (text: string) =>
      entry(
        code('41a5887f-8865-4c09-adf7-e362475b143a', 'SUM', `${slot('codingScheme', '1')}<r:Name>${text}</r:Name>`) +
          identifiers(),
      )
    expect((await named('<r:LocalizedString charset="UTF-8" xml:lang="en-US" value="Profilo"/>')).classCode).toEqual({
      code: 'SUM',
      scheme: '1',
      display: 'Profilo',
      extra: { attributes: { id: 'c' } },
    })
    expect((await named('<r:LocalizedString xml:lang="it" value="Profilo"/>')).classCode).toEqual({
      code: 'SUM',
      scheme: '1',
      display: 'Profilo',
      extra: { attributes: { id: 'c' }, names: [{ value: 'Profilo', language: 'it' }] },
    })
  })
})

describe('packages', () => {
  const identifier = (scheme: string, value: string) =>
    `<r:ExternalIdentifier id="i" identificationScheme="urn:uuid:${scheme}" registryObject="s" value="${value}"/>`
  const set =
    identifier('96fdda7c-d067-4183-912e-bf5ee74998a8', '1.2.3') +
    identifier('6b5aea1a-874d-4603-a4bc-96a0a7b38446', '1^^^&amp;1.2&amp;ISO')

  it('are told apart by what classifies them, also from beside them', async () => {
    const node =
      '<r:Classification id="n" classifiedObject="s" classificationNode="urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd"/>'
    const inside = await decoded(list(`<r:RegistryPackage id="s">${node}${set}</r:RegistryPackage>`))
    const beside = await decoded(list(node, `<r:RegistryPackage id="s">${set}</r:RegistryPackage>`))
    expect(inside.answer).toEqual(beside.answer)
    expect(inside.answer.submissionSets).toMatchObject([
      { uniqueId: '1.2.3', extra: { of: { node: { attributes: { id: 'n' } } } } },
    ])
  })
})

describe('a response as it goes out', () => {
  it('comes back as it was, with everything that nobody here understands', async () => {
    await fc.assert(
      fc.asyncProperty(queryAnswer, async (answer) => {
        const errors = answer.issues.map(({ code, text, ...issue }) => ({
          errorCode: code,
          codeContext: text,
          ...issue,
        }))
        const xml = encodeQueryResponse(answer, {
          status: 'partial-success',
          returnType: 'LeafClass',
          errors,
          requestId: 'urn:uuid:7',
        })
        expect(await decoded(xml)).toEqual({
          header: {},
          status: 'partial-success',
          requestId: 'urn:uuid:7',
          responseSlots: [],
          answer,
        })
      }),
    )
  })

  it('tells the home of everything that has none, but of associations', async () => {
    await fc.assert(
      fc.asyncProperty(queryAnswer, async (answer) => {
        const xml = encodeQueryResponse(answer, {
          status: 'success',
          returnType: 'LeafClass',
          errors: [],
          home: tuscany,
        })
        const { answer: again } = await decoded(xml)
        const homes = (objects: readonly { readonly home?: string }[]) => objects.map((one) => one.home)
        const expected = (objects: readonly { readonly home?: string }[]) => objects.map((one) => one.home ?? tuscany)
        expect(homes(again.entries)).toEqual(expected(answer.entries))
        expect(homes(again.submissionSets)).toEqual(expected(answer.submissionSets))
        expect(homes(again.folders)).toEqual(expected(answer.folders))
        expect(homes(again.associations)).toEqual(homes(answer.associations))
      }),
      { numRuns: 20 },
    )
  })

  it('names every object once when only references were asked for', async () => {
    await fc.assert(
      fc.asyncProperty(queryAnswer, async (answer) => {
        const xml = encodeQueryResponse(
          { ...answer, references: [...answer.references, ...answer.references] },
          { status: 'success', returnType: 'ObjectRef', errors: [], home: tuscany },
        )
        const { references, entries } = (await decoded(xml)).answer
        const objects = [...answer.entries, ...answer.submissionSets, ...answer.folders, ...answer.associations]
        const all = [
          ...objects.map((one) => ({ id: one.entryUuid, home: one.home ?? tuscany })),
          ...answer.references.map((one) => ({ home: tuscany, ...one })),
        ]
        const distinct = new Map(all.map((one) => [`${one.id} ${one.home}`, one]))
        expect(entries).toEqual([])
        expect(references).toEqual([...distinct.values()])
      }),
      { numRuns: 20 },
    )
  })

  it('tells the highest severity, and has its list of objects even when it is empty', () => {
    const error = {
      errorCode: 'XDSUnavailableCommunity',
      codeContext: 'down',
      severity: 'error',
      location: tuscany,
    } as const
    const warning = { errorCode: 'QND1', codeContext: '', severity: 'warning' } as const
    const write = (...errors: (typeof error | typeof warning)[]) =>
      encodeQueryResponse(nothingFound, { status: 'failure', returnType: 'LeafClass', errors })
    expect(write(warning, error)).toContain('highestSeverity="urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Error"')
    expect(write(warning)).toContain('highestSeverity="urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Warning"')
    expect(write()).not.toContain('RegistryErrorList')
    expect(write()).toMatch(/<rim:RegistryObjectList><\/rim:RegistryObjectList>/)
  })

  it('adds the slots it is given for an entry', async () => {
    const read = await entry(identifiers())
    const xml = encodeQueryResponse(
      { ...nothingFound, entries: [read] },
      {
        status: 'success',
        returnType: 'LeafClass',
        errors: [],
        slotsFor: () => [{ name: 'urn:example:sources', values: ['a'] }],
      },
    )
    expect((await decoded(xml)).answer.entries[0]?.extra?.slots).toEqual([
      { name: 'urn:example:sources', values: ['a'] },
    ])
  })

  it('leaves out an object that XML cannot carry, and says so; an error is told all the same', async () => {
    const read = await entry(identifiers())
    const xml = encodeQueryResponse(
      { ...nothingFound, entries: [read, { ...read, uniqueId: 'a\u0000b' }] },
      {
        status: 'success',
        returnType: 'LeafClass',
        errors: [{ errorCode: 'X', codeContext: 'a\u0001\ud800', severity: 'warning' }],
      },
    )
    const { answer } = await decoded(xml)
    expect(answer.entries).toHaveLength(1)
    expect(answer.issues).toMatchObject([
      { code: 'X', text: 'a\ufffd\ufffd' },
      { code: 'XDSRegistryMetadataError', severity: 'warning' },
    ])
  })

  it('is written in the same way every time', () => {
    fc.assert(
      fc.property(uuid, text, (entryUuid, uniqueId) => {
        const one = { entryUuid, uniqueId } as unknown as DocumentEntry
        const write = () =>
          encodeQueryResponse(
            { ...nothingFound, entries: [one] },
            { status: 'success', returnType: 'LeafClass', errors: [] },
          )
        expect(write()).toBe(write())
      }),
      { numRuns: 5 },
    )
  })
})

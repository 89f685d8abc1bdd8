import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { HideChange } from '../../../../src/core/model/change.ts'
import { decodeNotifyHiding, encodeNotifyHiding, notifyHiding } from '../../../../src/wire/ini/notify-hiding.ts'
import { readTree } from '../../../../src/wire/xml.ts'
import { citizen } from '../../../support/builders.ts'
import { hidings } from './arbitraries.ts'

const sample = join(
  import.meta.dirname,
  '../../../../../shared/corpus/ini/samples/issues/NotifyHiding_request_body.xml',
)

const message: HideChange = {
  type: 'hide',
  patientId: citizen,
  uniqueId: '2.16.840.1.113883.2.9.2.90.4.4^9999.LAB.910.1',
  sourceUniqueId: '2.16.840.1.113883.2.9.4.3.8^0901A4000000001_PRESPEC',
  since: '20250519162255+0200',
}
const { since: _date, ...dateless } = message
const { sourceUniqueId: _source, ...sourceless } = message

function decode(xml: string): HideChange {
  const tree = readTree(Buffer.from(xml))
  return decodeNotifyHiding(tree, tree.root)
}

function varied(from: string | RegExp, to: string): HideChange {
  const xml = encodeNotifyHiding(message)
  const other = xml.replace(from, to)
  expect(other).not.toBe(xml)
  return decode(other)
}

describe('the notification of a hiding', () => {
  const date = /(?<=<HidingDate>)[^<]*/

  it('is read as it was written', () => {
    fc.assert(fc.property(hidings, (one) => void expect(decode(encodeNotifyHiding(one))).toEqual(one)))
  })

  it.each([
    '2025-05-19T16:22:55.809+02:00',
    '2025-05-19T14:22:55Z',
    '2025-05-19',
    '20250519162255',
    '202505191622+0200',
  ])('may date it %s, and is told so on', (told) => {
    expect(varied(date, ` ${told} `)).toEqual({ ...message, since: told })
  })

  it('hides whenever it was, if the date cannot be read', () => {
    for (const told of ['', 'yesterday', '19/05/2025', '2025', `2025-05-19T14:22:55.${'1'.repeat(100)}Z`]) {
      expect(varied(date, told)).toEqual(dateless)
    }
    expect(varied(/<HidingDate>.*<\/HidingDate>/, '')).toEqual(dateless)
  })

  it('has no source when it names the document itself, or none', () => {
    expect(varied(/(?<=<SourceDocumentId>)[^<]*/, message.uniqueId)).toEqual(sourceless)
    expect(varied(/<SourceDocumentId>.*<\/SourceDocumentId>/, '')).toEqual(sourceless)
  })

  it('may name a patient by a bare codice fiscale, and say more than we know of', () => {
    expect(varied(/(?<=<PatientId>)[^<]*/, citizen.value)).toEqual(message)
    expect(varied('</NotifyHidingRequest>', '<Reason>x</Reason></NotifyHidingRequest>')).toEqual(message)
  })

  it.each([
    ['another message', /NotifyHidingRequest/g, 'NotifyHiding', 'request-malformed'],
    ['another namespace', notifyHiding.namespace, 'urn:x', 'request-malformed'],
    ['no document', /<DocumentId>.*<\/DocumentId>/, '', 'parameter-missing'],
    ['an empty document', /(?<=<DocumentId>)[^<]*/, '', 'parameter-missing'],
    ['two documents', '<DocumentId>', '<DocumentId>1.2.3</DocumentId><DocumentId>', 'parameter-count'],
    ['no patient', /<PatientId>.*<\/PatientId>/, '', 'parameter-missing'],
    ['a patient nobody can be', /(?<=<PatientId>)[^<]*/, 'PROVAX80A01H501X', 'parameter-invalid'],
    ['a patient without an authority', /(?<=<PatientId>)[^<]*/, 'PROVAX80A01H501M^^^', 'parameter-invalid'],
  ])('is refused with %s, and no word of it repeated', (_what, from, to, failure) => {
    expect(() => varied(from, to)).toThrow(
      expect.objectContaining({ code: failure, message: expect.not.stringMatching(/PROVAX/) }),
    )
  })

  it.skipIf(!existsSync(sample))(
    `is read as INI was seen to send it${existsSync(sample) ? '' : ' (skipped: ../shared/corpus is absent)'}`,
    () => {
      // The person in it has a code that nobody can have.
      expect(decode(readFileSync(sample, 'utf8').replaceAll('PROVAX00X00X000Y', citizen.value))).toEqual({
        type: 'hide',
        patientId: citizen,
        uniqueId: '2.16.840.1.113883.2.9.2.160.4.4^202506121254305768.0',
        since: '2025-06-12T12:55:42.964+02:00',
      })
    },
  )
})

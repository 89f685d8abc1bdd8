import { expect, it } from 'vitest'
import { withCodingSchemes } from '../../../src/wire/ini/coding-schemes.ts'
import { findDocuments } from '../../support/builders.ts'

it('gives bare codes the scheme of the affinity domain and leaves others as they are', () => {
  const query = findDocuments({
    filter: {
      classCodes: [{ code: 'REF' }, { code: 'X', scheme: '1.2.3' }],
      eventCodes: [[{ code: 'P99' }]],
      authorPersons: ['%ROSSI%'],
    },
  })
  expect(withCodingSchemes(query).filter).toEqual({
    classCodes: [
      { code: 'REF', scheme: '2.16.840.1.113883.2.9.3.3.6.1.5' },
      { code: 'X', scheme: '1.2.3' },
    ],
    eventCodes: [[{ code: 'P99', scheme: '2.16.840.1.113883.2.9.3.3.6.1.3' }]],
    authorPersons: ['%ROSSI%'],
  })
})

import { describe, expect, it } from 'vitest'
import { actions, responseAction } from '../../../src/wire/actions.ts'

describe('the action of an answer', () => {
  it('is that of the question and a word', () => {
    expect(responseAction(actions.registerDocumentSet)).toBe('urn:ihe:iti:2007:RegisterDocumentSet-bResponse')
    expect(responseAction(actions.updateDocumentSet)).toBe('urn:ihe:iti:2010:UpdateDocumentSetResponse')
    expect(responseAction(actions.deleteDocumentSetOfIhe)).toBe('urn:ihe:iti:2010:DeleteDocumentSetResponse')
  })

  it('takes the place of the word Request where INI has one', () => {
    expect(responseAction(actions.deleteDocumentSet)).toBe(
      'urn:ihe:iti:xds-b:2010:XDSDeletetWS:DocumentRegistry_DeleteDocumentSetResponse',
    )
  })
})

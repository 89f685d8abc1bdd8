import fc from 'fast-check'
import type {
  Consent,
  ConsentNotification,
  HideChange,
  RetrieveNotification,
  SubmitNotification,
} from '../../../../src/core/model/change.ts'
import type { ConsentSet, Disclosure, OrganDonation } from '../../../../src/core/model/consents.ts'
import type { NotificationOutcome } from '../../../../src/wire/ini/notification.ts'
import { citizen, homes, otherCitizen } from '../../../support/builders.ts'

/** Words as fields have them: no white space around, which a reader takes away. */
export const word = fc.string({ minLength: 1, maxLength: 40 }).filter((text) => {
  return text === text.trim() && !/[\u0000-\u001f\ufffe\uffff]/.test(text)
})
const code = word.filter((text) => !/[\^'()]/.test(text))
const patientId = fc.constantFrom(citizen, otherCitizen)
const home = fc.constantFrom(homes.veneto, homes.lazio)

export const outcomes: fc.Arbitrary<NotificationOutcome> = fc.oneof(
  fc.constant({ status: 'success' } as const),
  fc.record({
    status: fc.constantFrom('success', 'failure'),
    error: fc.record({ code: word, context: fc.oneof(word, fc.constant('')) }),
  }),
)

export const retrievals: fc.Arbitrary<RetrieveNotification> = fc.record(
  {
    type: fc.constant('document-retrieved' as const),
    home,
    typeCode: fc.oneof(fc.record({ code }), fc.record({ code, scheme: code })),
    repositoryUniqueId: word,
    uniqueId: word,
    requestor: word,
    requestorRole: word,
    purposeOfUse: word,
    locality: word,
    patientId,
  },
  {
    requiredKeys: [
      ...(['type', 'repositoryUniqueId', 'uniqueId', 'requestor', 'requestorRole'] as const),
      ...(['purposeOfUse', 'patientId'] as const),
    ],
  },
)

export const submissions: fc.Arbitrary<SubmitNotification> = fc.record(
  {
    type: fc.constant('documents-submitted' as const),
    patientId,
    home,
    repositoryUniqueId: word,
    uniqueId: word,
  },
  { requiredKeys: ['type', 'patientId', 'repositoryUniqueId', 'uniqueId'] },
)

export const hidings: fc.Arbitrary<HideChange> = fc
  .record(
    {
      type: fc.constant('hide' as const),
      patientId,
      uniqueId: word,
      sourceUniqueId: word,
      since: fc.constantFrom(
        '2025-05-19T16:22:55.809+02:00',
        '2025-05-19T14:22:55Z',
        '20250519162255+0200',
        '20250519',
      ),
    },
    { requiredKeys: ['type', 'patientId', 'uniqueId'] },
  )
  .filter(({ uniqueId, sourceUniqueId }) => uniqueId !== sourceUniqueId)

const consent: fc.Arbitrary<Consent> = fc.record(
  { name: word, given: fc.boolean(), date: fc.constantFrom('2025-05-19', '2026-01-01'), note: word },
  { requiredKeys: ['name', 'given'] },
)

export const consentChanges: fc.Arbitrary<ConsentNotification> = fc.record(
  {
    type: fc.constant('consents-changed' as const),
    patientId,
    organization: word,
    operator: word,
    operatorRole: word,
    operatorLocality: word,
    requestor: word,
    disclosure: word,
    consents: fc.uniqueArray(consent, { minLength: 2, maxLength: 8, selector: ({ name }) => name }),
  },
  { requiredKeys: ['type', 'patientId', 'consents'] },
)

export const consentSets: fc.Arbitrary<ConsentSet> = fc.record({
  patientId,
  operator: patientId,
  operatorRole: word,
  requestor: patientId,
  disclosure: word,
  consents: fc.uniqueArray(consent, { minLength: 2, maxLength: 8, selector: ({ name }) => name }),
})

export const disclosures: fc.Arbitrary<Disclosure> = fc.record({
  id: word,
  documents: fc.array(
    fc.record({
      content: fc.uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      mediaType: word,
      type: word,
    }),
    { minLength: 2, maxLength: 4 },
  ),
})

export const organDonations: fc.Arbitrary<OrganDonation> = fc.record(
  {
    given: fc.boolean(),
    date: fc.constantFrom('2015-10-22', '2026-01-01'),
    channel: fc.oneof(fc.record({ code: word }), fc.record({ code: word, name: word })),
    place: word,
  },
  { requiredKeys: ['given'] },
)

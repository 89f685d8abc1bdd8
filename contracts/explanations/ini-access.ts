import { consequences } from './consequences.ts'
import { type Explanation, explained } from './explanation.ts'

const assertionNext =
  'Hold the assertion we sent against the profile of INI with “crocevia verify saml”, mend it, send again.'

/** What INI, or the region behind it, has against an assertion or against who asks (PST, PIT, PFC, PFA). */
export const iniAccess: readonly Explanation[] = [
  ...explained(
    {
      ...{ system: 'ini', whose: 'ours', retry: 'after-mending', next: assertionNext },
      ...consequences.refused,
      source: 'ini.md §6.1; FSE/190',
    },
    [
      {
        code: 'PST4',
        title: 'Missing attribute assertion',
        meaning: 'The message carries no attribute assertion; every service but the notifications demands one.',
      },
      {
        code: 'PST5',
        title: 'Missing or invalid WS-Security header elements: $ERROR$',
        meaning: 'The WS-Security header is missing or is not as INI expects it.',
      },
      {
        code: 'PST6',
        title: 'Failure in unmarshalling the assertion: $ERROR$',
        meaning: 'The assertion is no valid XML of SAML 2.0.',
      },
      {
        code: 'PST10',
        title: 'Missing Information assertion',
        meaning: 'The service demands a second assertion, about the information given to the patient.',
        next: 'Check that the right service was called, and ask the service desk of Sogei for the assertion it expects.',
      },
      { code: 'PIT1', title: 'Missing Issuer in assertion', meaning: 'The assertion does not say who issued it.' },
      {
        code: 'PIT2',
        title: 'Missing mandatory attributes in the attribute assertion',
        meaning:
          'The attribute assertion lacks attributes that are mandatory, usually the three about the application.',
        next: 'Set gateway.application and hold the assertion against the profile with “crocevia verify saml”, then send again.',
        source: 'ini.md §6.1, §6.3 no. 6; FSE/190, #1713',
      },
      {
        code: 'PFC3',
        title: 'Certificate within the SAML assertion not issued by a trusted CA',
        meaning: 'The certificate the assertion is signed with was not issued by an authority that INI trusts.',
        next: 'Check which certificate signs (“crocevia doctor”) and ask the service desk of Sogei to trust its authority.',
        source: 'ini.md §6.1, §6.3 no. 7; #2969',
      },
      {
        code: 'PFC9',
        title: 'InvalidSecurityToken (about the patient)',
        meaning: 'The patient of the assertion was not accepted.',
        whose: 'unknown',
        next: 'Check the patient’s identifier and whether the assertion and the body name the same one, then send again.',
        ...consequences.patientUnknown,
        source: 'ini.md §6.1; #2241',
      },
      {
        code: 'PFA14',
        title: 'This role has not the rights to access the service',
        meaning:
          'Role and purpose do not go with the service, usually because another address of INI was the right one.',
        next: 'Check the address of the operation first, then role, purpose and action of the assertion.',
        source: 'ini.md §1.2, §6.1, §6.3 no. 5; #2016, #2724, #2266, #2785',
      },
      {
        code: 'P<xx><n>',
        title: 'Access policy',
        meaning: 'An access policy of INI or of the region refused the request; no public source explains this code.',
        whose: 'unknown',
        next: 'Read the words beside the code, look it up in the Framework specification, and do not repeat it unchanged.',
        source: 'ini.md §6.1, §6.2 no. 4',
      },
    ],
  ),
  ...explained(
    { system: 'ini', whose: 'patient', retry: 'never', ...consequences.noConsultation, source: '', next: '' },
    [
      {
        code: 'PFA11',
        title: 'Missing Consultation Consent',
        meaning: 'The patient has not given the consent to consultation (C2); INI says so in an emergency too.',
        next: 'Nothing can be done technically: the patient may give the consent, or the treating physician proceed without.',
        source: 'ini.md §6.1, §6.3 no. 16; #2505, #2035, #1834, #1560',
      },
      {
        code: 'Missing upload consent',
        title: 'Missing upload consent',
        meaning: 'The patient has not given the consent to feeding the record (C1).',
        next: 'Query the consents; the document may be sent again only after the patient gave the consent.',
        ...consequences.noUpload,
        source: 'ini.md §6.1; #1358, #2703',
      },
    ],
  ),
]

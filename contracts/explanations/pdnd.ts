import { consequences } from './consequences.ts'
import { type Explanation, explained } from './explanation.ts'

const shared = { system: 'pdnd', ...consequences.sourceUnavailable, source: 'sistema-ts.md B.2' } as const

const asynchronous = ['0034', '0035', '0036', '0037', '0038', '0039', '0040', '0041', '0042', '0043']

/** What PDND has against a client assertion, or against the agreement behind it. */
export const pdnd: readonly Explanation[] = [
  ...explained(
    {
      ...{ ...shared, whose: 'ours', retry: 'after-mending' },
      next: 'Compare the voucher settings of the community with the client of PDND, mend them and restart.',
    },
    [
      {
        code: '015-0008',
        title: 'Generic problem',
        meaning: 'PDND gave no voucher; towards clients it is generic on purpose and does not say why.',
        next: 'Look the attempt up by its correlationId in PDND; check keys, purpose and agreement.',
      },
      { code: '0002', title: 'Assertion type', meaning: 'The client_assertion_type is not the one PDND takes.' },
      { code: '0003', title: 'Grant type', meaning: 'The grant_type is not client_credentials.' },
      {
        code: '0004',
        title: 'Audience',
        meaning: 'The audience of the client assertion is not that of the environment.',
      },
      {
        code: '0005',
        title: 'Audience',
        meaning: 'The audience of the client assertion is not that of the environment.',
      },
      { code: '0008', title: 'jti', meaning: 'The client assertion has no valid jti.' },
      { code: '0009', title: 'iat', meaning: 'The client assertion has no valid iat.' },
      { code: '0010', title: 'exp', meaning: 'The client assertion has no valid exp.' },
      { code: '0011', title: 'iss', meaning: 'The issuer of the client assertion is missing or not valid.' },
      { code: '0012', title: 'sub', meaning: 'The subject of the client assertion is missing or not valid.' },
      { code: '0013', title: 'sub', meaning: 'The subject of the client assertion is missing or not valid.' },
      { code: '0014', title: 'purposeId format', meaning: 'The purposeId is no UUID.' },
      { code: '0015', title: 'kid', meaning: 'The key id is missing or not known to PDND.' },
      { code: '0016', title: 'Signature', meaning: 'The signature of the client assertion does not hold.' },
      {
        code: '0017',
        title: 'Expired',
        meaning: 'The client assertion has expired.',
        next: 'Set the clock right; assertions are made anew for each voucher.',
      },
      {
        code: '0019',
        title: 'Not before',
        meaning: 'The client assertion is not valid yet.',
        next: 'Set the clock right; assertions are made anew for each voucher.',
      },
      { code: '0023', title: 'clientId', meaning: 'The client_id is missing, not valid or not known.' },
      { code: '0024', title: 'sub', meaning: 'The subject of the client assertion is missing or not valid.' },
      { code: '0025', title: 'Digest', meaning: 'The digest claim is not as PDND wants it.' },
      { code: '0026', title: 'Digest', meaning: 'The digest claim is not as PDND wants it.' },
      { code: '0027', title: 'Digest', meaning: 'The digest claim is not as PDND wants it.' },
      { code: '0028', title: 'alg', meaning: 'The client assertion is not signed with RS256.' },
      { code: '0029', title: 'alg', meaning: 'The client assertion is not signed with RS256.' },
      { code: '0030', title: 'purposeId missing', meaning: 'The client assertion names no purpose.' },
      { code: '0031', title: 'kid', meaning: 'The key id is missing or not known to PDND.' },
      { code: '0032', title: 'Invalid claims', meaning: 'The client assertion has claims that PDND does not want.' },
      { code: '0033', title: 'Signature', meaning: 'The signature of the client assertion does not hold.' },
      ...asynchronous.map((code) => ({
        code,
        title: 'Asynchronous voucher',
        meaning: 'Something about an asynchronous voucher is not as PDND wants it; this gateway asks for none.',
      })),
    ],
  ),
  ...explained({ ...shared, whose: 'ours', retry: 'never', next: '' }, [
    {
      code: '0020',
      title: 'Purpose state',
      meaning: 'The purpose is not active in PDND.',
      next: 'Have the purpose activated in PDND; asking again before does not help.',
    },
    {
      code: '0021',
      title: 'Agreement state',
      meaning: 'The agreement about the e-service is not active.',
      next: 'Have the agreement activated in PDND; asking again before does not help.',
    },
    {
      code: '0022',
      title: 'E-service state',
      meaning: 'The e-service is not active.',
      whose: 'pdnd',
      next: 'Ask its provider; asking PDND again before does not help.',
    },
  ]),
]

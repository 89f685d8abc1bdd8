/** Coding scheme of confidentialityCode: HL7 Confidentiality. */
export const confidentialityScheme = '2.16.840.1.113883.5.25'

/**
 * confidentialityCode as the national record uses it (ini.md §4.4). `V`, most protected, goes with the access policy P99
 * or P00 (R227).
 */
export const confidentialityCodes: Readonly<Record<string, string>> = {
  N: 'Normal',
  R: 'Restricted',
  V: 'Very Restricted',
}

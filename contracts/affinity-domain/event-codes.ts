/** Coding scheme of eventCodeList, whatever system its codes come from. */
export const eventScheme = '2.16.840.1.113883.2.9.3.3.6.1.3'

/**
 * Access policies (ini.md §4.5). A document carries one at most; a later one replaces it. P97 and P98 must not be used
 * between regions, but are met; P81 came with AD 2.6.4.
 */
export const accessPolicyCodes: Readonly<Record<string, string>> = {
  P99: 'Oscuramento del documento',
  P00: 'De-Oscuramento in alimentazione',
  P97: 'Oscuramento al genitore',
  P98: 'Oscuramento all’assistito',
  P81: 'Versioni precedenti Profilo Sanitario Sintetico',
}

/** Other events, but for vaccines: those are ATC codes below J07 and SNOMED CT codes of vaccine products. */
export const otherEventCodes: Readonly<Record<string, string>> = {
  'LP418019-8': 'Tampone antigenico per Covid-19',
  'LP417541-2': 'Tampone molecolare per Covid-19',
  '96118-5': 'Test Sierologico qualitativo',
  '94503-0': 'Test Sierologico quantitativo',
  pay: 'Prescrizione farmaceutica non a carico SSN',
  PUBLICPOL: 'Prescrizione farmaceutica SSN',
  'LP267463-0': 'Reddito',
  'LP199190-2': 'Patologia',
  '90768-3': 'Analisi sangue donatore',
}

/**
 * What codes and displays were called under other versions of the affinity domain, or by software that is in use
 * (ini.md §4). Such values are met in what others push and keep, and are never written here.
 */

/**
 * Displays of an earlier version, or of the other of two national tables, by attribute and code; and two that INI itself
 * tells of dispensings (IC test file query_response_leafclass.xml).
 */
export const otherDisplays = {
  typeCode: { '87273-9': 'Scheda singola vaccinazione', '29304-3': 'Prestazione farmaceutica' },
  formatCode: { 'SistemaTS-Prestazione': 'Erogato SistemaTS' },
  classCode: { LDO: 'Lettera di dimissione ospedaliera', CRT: 'Certificato Amministrativo generico' },
  practiceSettingCode: { AD_PSC098: 'Day Surgery Plurispecialistica' },
  administrativeRequest: { AUTO: 'Autoprodotto' },
} as const satisfies Readonly<Record<string, Readonly<Record<string, string>>>>

/** The class of document types that were replaced (ini.md §4.1, sistema-ts.md §A.7). */
export const classOfFormerType: Readonly<Record<string, string>> = { '28653-4': 'CRT', '29304-3': 'PRE' }

/** Emergency ward, anaesthesia and hospice, as they were coded (ini.md §4.10). */
export const formerPracticeSettings: readonly string[] = ['AD_PSC106', 'AD_PSC082', 'AD_PSC127']

/** Patient summary (in conflict with the national gateway's), radiology, consent and CCD, as coded before (ini.md §4.3). */
export const formerFormats: readonly string[] = [
  '2.16.840.1.113883.2.9.10.2.4.1.1',
  '2.16.840.1.113883.2.9.10.1.7',
  '1.3.6.1.4.1.19376.1.5.3.1.1.7',
  '2.16.840.1.113883.10.20.1',
]

/** How `Sistema TS` is spelt by others (ini.md §4.10; sistema-ts.md §A.7: accept both). */
export const contentTypeSpellings: readonly string[] = ['SistemaTS', 'Sistema_TS']

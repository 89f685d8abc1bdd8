/** Coding scheme of a submission set's contentTypeCode. */
export const contentTypeScheme = '2.16.840.1.113883.2.9.3.3.6.1.4'

/** contentTypeCode of the Italian affinity domain (ini.md §4.10). */
export const contentTypeCodes: Readonly<Record<string, string>> = {
  PHR: 'Personal Health Record Update',
  CON: 'Consulto',
  DIS: 'Discharge',
  ERP: 'Erogazione Prestazione Prenotata',
  'Sistema TS': 'Documenti sistema TS',
  INI: 'Documenti INI',
  'PN-DGC': 'Documenti PN-DGC',
  OBS: 'Documento stato di salute',
}

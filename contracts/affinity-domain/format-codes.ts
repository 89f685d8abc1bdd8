/** Coding scheme of formatCode. */
export const formatScheme = '2.16.840.1.113883.2.9.3.3.6.1.6'

/**
 * formatCode of the Italian affinity domain (AD table 2.6-1, ini.md §4.3): the template of a CDA, or a name. Obsolete
 * codes, and one that contradicts the national gateway's, are left out.
 */
export const formatCodes: Readonly<Record<string, string>> = {
  TXT: 'TXT',
  PDF: 'PDF',
  ScanDocument: 'Scansione Documento Cartaceo',
  FHIRDocumentTaccuino: 'Documento on-demand contenente i dati di Taccuino',
  'SistemaTS-Prestazione': 'Erogato Sistema TS',
  '2.16.840.1.113883.2.9.10.1.13.1.1': 'Erogato SistemaTS farmaceutica',
  '2.16.840.1.113883.2.9.10.1.13.1.2': 'Erogato SistemaTS specialistica',
  'SistemaTS-Prescrizione': 'Prescrizione Sistema TS',
  '2.16.840.1.113883.2.9.10.1.2.1': 'Prescrizione farmaceutica Sistema TS',
  '2.16.840.1.113883.2.9.10.1.2.2': 'Prescrizione specialistica Sistema TS',
  'SistemaTS-Esenzione': 'Esenzione da reddito Sistema TS',
  '2.16.840.1.113883.2.9.10.1.2': 'Prescrizione',
  '2.16.840.1.113883.2.9.10.1.1': 'Referto di Laboratorio',
  '2.16.840.1.113883.2.9.10.1.4.1.1': 'Profilo Sanitario Sintetico',
  '2.16.840.1.113883.2.9.10.1.5': 'Lettera di Dimissione Ospedaliera',
  '2.16.840.1.113883.2.9.10.1.7.1': 'Referto di Radiologia',
  '2.16.840.1.113883.2.9.4.3.14': 'Piano Terapeutico',
  '2.16.840.1.113883.2.9.10.1.11.1.1': 'Scheda della singola Vaccinazione',
  '2.16.840.1.113883.2.9.10.1.11.1.2': 'Certificato Vaccinale',
  '2.16.840.1.113883.2.9.10.1.6.1': 'Verbale di Pronto Soccorso',
  '2.16.840.1.113883.2.9.10.1.9.1': 'Referto di Specialistica Ambulatoriale',
  '2.16.840.1.113883.2.9.10.1.12.1': 'Documento generico',
  '2.16.840.1.113883.2.9.10.1.8.1': 'Referto di Anatomia Patologica',
  '2.16.840.1.113883.2.9.10.1.13.2.1': 'Erogazione Farmaceutica non a carico SSN',
  '2.16.840.1.113883.2.9.10.1.3.1': 'Prescrizione Farmaceutica non a carico SSN',
  '2.16.840.1.113883.2.9.10.1.15.1': 'Lettera di invito per Vaccinazione',
  '2.16.840.1.113883.2.9.10.1.14.1': 'Lettera di invito per screening o ad altri percorsi di prevenzione',
  '2.16.840.1.113883.2.9.10.1.16.1.1': 'Referto di Televisita',
  '2.16.840.1.113883.2.9.10.1.16.3.1': 'Relazione finale di telemonitoraggio',
  '2.16.840.1.113883.2.9.10.1.16.4.1': 'Relazione finale di teleassistenza',
  '2.16.840.1.113883.2.9.10.1.16.2.1': 'Relazione di teleconsulto',
  '2.16.840.1.113883.2.9.10.1.18.1': 'Cartella Clinica',
  '2.16.840.1.113883.2.9.10.1.17.1': 'Tessera portatore di impianto',
  FHIRDocumentTelevisita: 'Bundle contenente i dati FHIR relativi al Referto di Televisita',
  FHIRDocumentTeleconsulto: 'Bundle contenente i dati FHIR relativi alla Relazione collaborativa di Teleconsulto',
  FHIRDocumentTelemonitoraggio: 'Bundle contenente i dati FHIR relativi alla Relazione Finale di Telemonitoraggio',
  FHIRDocumentTeleassistenza: 'Bundle contenente i dati FHIR relativi alla Relazione Finale di Teleassistenza',
}

/** Formats that AD 2.6.4 brought. */
export const newFormatCodes: ReadonlySet<string> = new Set([
  '2.16.840.1.113883.2.9.10.1.13.2.1',
  '2.16.840.1.113883.2.9.10.1.3.1',
  '2.16.840.1.113883.2.9.10.1.15.1',
  '2.16.840.1.113883.2.9.10.1.14.1',
  '2.16.840.1.113883.2.9.10.1.16.1.1',
  '2.16.840.1.113883.2.9.10.1.16.3.1',
  '2.16.840.1.113883.2.9.10.1.16.4.1',
  '2.16.840.1.113883.2.9.10.1.16.2.1',
  '2.16.840.1.113883.2.9.10.1.18.1',
  '2.16.840.1.113883.2.9.10.1.17.1',
  'FHIRDocumentTelevisita',
  'FHIRDocumentTeleconsulto',
  'FHIRDocumentTelemonitoraggio',
  'FHIRDocumentTeleassistenza',
])

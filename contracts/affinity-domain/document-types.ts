/** LOINC, the coding scheme of document types. */
export const loinc = '2.16.840.1.113883.6.1'

/** A typeCode of the Italian affinity domain. */
export interface DocumentType {
  readonly code: string
  /** As the registries check it (R56). */
  readonly display: string
  /** The classCode it goes with, where the correlation table has one. */
  readonly classCode?: string
  /** The version of the affinity domain whose national gateway is the first to know it; absent for older ones. */
  readonly since?: '2.6.4'
}

type Row = readonly [code: string, display: string, classCode: string | undefined, since?: '2.6.4']

/** AD tables 2.18-1 and 2.19-1, and the correlation with classes of the national gateway (ini.md §4.1). */
const rows: readonly Row[] = [
  ['57833-6', 'Prescrizione farmaceutica', 'PRS'],
  ['60591-5', 'Profilo Sanitario Sintetico', 'SUM'],
  ['11502-2', 'Referto di Laboratorio', 'REF'],
  ['57829-4', 'Prescrizione per prodotto o apparecchiature mediche', 'PRS'],
  ['34105-7', 'Lettera di dimissione ospedaliera', 'LDO'],
  ['18842-5', 'Lettera di dimissione non ospedaliera', 'LDO'],
  ['59258-4', 'Verbale di pronto soccorso', 'VRB'],
  ['68604-8', 'Referto di radiologia', 'REF'],
  ['11526-1', 'Referto di anatomia patologica', 'REF'],
  ['59284-0', 'Documento dei consensi', 'CON'],
  ['104531-9', 'Certificato di malattia', 'CRT', '2.6.4'],
  ['57832-8', 'Prescrizione diagnostica o specialistica', 'PRS'],
  ['60593-1', 'Erogazione farmaceutica', undefined, '2.6.4'],
  ['11488-4', 'Referto specialistico', 'REF'],
  ['57827-8', 'Documento di esenzione', 'ESE'],
  ['81223-0', 'Erogazione specialistica', 'PRE'],
  ['18776-5', 'Piano terapeutico', 'PDC'],
  ['97500-3', 'Certificazione verde Covid-19 (Digital Green Certificate)', 'CER'],
  ['87273-9', 'Scheda di singola vaccinazione', 'VAC'],
  ['82593-5', 'Certificato vaccinale', 'VAC'],
  ['97499-8', 'Certificato di guarigione da Covid-19', 'CER'],
  ['55750-4', 'Resoconto relativo alla sicurezza del paziente', 'SUM'],
  ['68814-3', 'Bilanci di salute pediatrici', 'CNT'],
  [
    '103140-0',
    'Personal health attachment (documento generico inserito dal paziente in caso di taccuino)',
    'TAC',
    '2.6.4',
  ],
  ['102033-8', 'Pathology network list (documento proveniente da reti di patologie)', undefined, '2.6.4'],
  ['103144-2', 'Medical equipment dispensed.brief', 'PRE', '2.6.4'],
  ['103145-9', 'Medical equipment dispensed.extended', 'PRE', '2.6.4'],
  ['103146-7', 'Specialist care dispensed.brief', 'PRE', '2.6.4'],
  ['103147-5', 'Specialist care dispensed.extended', 'PRE', '2.6.4'],
  ['101136-0', 'Lettera di fine trattamento', 'LET', '2.6.4'],
  ['101134-5', 'Promemoria di appuntamento', 'PRO', '2.6.4'],
  ['101133-7', 'Consenso alla donazione di organo e/o tessuto', 'CON', '2.6.4'],
  ['100971-1', 'Cartella clinica', 'COL', '2.6.4'],
  ['53576-5', 'Documento contenente dati Taccuino, Bundle di tipo collection', 'TAC', '2.6.4'],
  ['101881-1', 'Tessera portatori di impianto', 'SUM', '2.6.4'],
  ['108276-7', 'Lettera di invito per screening o altri percorsi di prevenzione', 'LET', '2.6.4'],
  ['111490-9', 'Lettera di invito per vaccinazione', 'LET', '2.6.4'],
  ['112062-5', 'Relazione di Telemonitoraggio', 'CNT', '2.6.4'],
  ['75496-0', 'Referto di Televisita', 'REF', '2.6.4'],
  ['85208-7', 'Referto di Teleconsulto', 'REF', '2.6.4'],
  ['112063-3', 'Referto di Teleassistenza', 'REF', '2.6.4'],
  ['111827-2', 'Report settimanale di telemonitoraggio', 'CNT', '2.6.4'],
]

/** Every typeCode in use, in the order of the affinity domain. */
export const documentTypeTable: readonly DocumentType[] = rows.map(([code, display, classCode, since]) => ({
  code,
  display,
  ...(classCode === undefined ? {} : { classCode }),
  ...(since === undefined ? {} : { since }),
}))

/** Codes that older documents carry, and what replaced them in AD 2.6.4. */
export const formerDocumentTypes: Readonly<Record<string, { readonly display: string; readonly now: string }>> = {
  '28653-4': { display: 'Certificato di malattia', now: '104531-9' },
  '29304-3': { display: 'Erogazione farmaceutica', now: '60593-1' },
}

/** typeCode of the Italian affinity domain (AD table 2.18-1, ini.md §4.1): code and the display the registries check. */
export const typeCodes: Readonly<Record<string, string>> = Object.fromEntries(
  documentTypeTable.map(({ code, display }) => [code, display]),
)

/** Every document type, for a question about all of them. */
export const documentTypes: readonly { readonly code: string; readonly scheme: string }[] = documentTypeTable.map(
  ({ code }) => ({ code, scheme: loinc }),
)

/** The former ones too: documents of these are in the indexes still. */
export const documentTypesEver: typeof documentTypes = [
  ...documentTypes,
  ...Object.keys(formerDocumentTypes).map((code) => ({ code, scheme: loinc })),
]

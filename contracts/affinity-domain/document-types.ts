/** LOINC, the coding scheme of document types. */
export const loinc = '2.16.840.1.113883.6.1'

/** typeCode of the Italian affinity domain (AD table 2.18-1, ini.md §4.1): code and the display the registries check. */
export const typeCodes: Readonly<Record<string, string>> = {
  '57833-6': 'Prescrizione farmaceutica',
  '60591-5': 'Profilo Sanitario Sintetico',
  '11502-2': 'Referto di Laboratorio',
  '57829-4': 'Prescrizione per prodotto o apparecchiature mediche',
  '34105-7': 'Lettera di dimissione ospedaliera',
  '18842-5': 'Lettera di dimissione non ospedaliera',
  '59258-4': 'Verbale di pronto soccorso',
  '68604-8': 'Referto di radiologia',
  '11526-1': 'Referto di anatomia patologica',
  '59284-0': 'Documento dei consensi',
  '104531-9': 'Certificato di malattia',
  '57832-8': 'Prescrizione diagnostica o specialistica',
  '60593-1': 'Erogazione farmaceutica',
  '11488-4': 'Referto specialistico',
  '57827-8': 'Documento di esenzione',
  '81223-0': 'Erogazione specialistica',
  '18776-5': 'Piano terapeutico',
  '97500-3': 'Certificazione verde Covid-19 (Digital Green Certificate)',
  '87273-9': 'Scheda di singola vaccinazione',
  '82593-5': 'Certificato vaccinale',
  '97499-8': 'Certificato di guarigione da Covid-19',
  '55750-4': 'Resoconto relativo alla sicurezza del paziente',
  '68814-3': 'Bilanci di salute pediatrici',
  '103140-0': 'Personal health attachment (documento generico inserito dal paziente in caso di taccuino)',
  '102033-8': 'Pathology network list (documento proveniente da reti di patologie)',
  '103144-2': 'Medical equipment dispensed.brief',
  '103145-9': 'Medical equipment dispensed.extended',
  '103146-7': 'Specialist care dispensed.brief',
  '103147-5': 'Specialist care dispensed.extended',
  '101136-0': 'Lettera di fine trattamento',
  '101134-5': 'Promemoria di appuntamento',
  '101133-7': 'Consenso alla donazione di organo e/o tessuto',
  '100971-1': 'Cartella clinica',
  '53576-5': 'Documento contenente dati Taccuino, Bundle di tipo collection',
  '101881-1': 'Tessera portatori di impianto',
  '108276-7': 'Lettera di invito per screening o altri percorsi di prevenzione',
  '111490-9': 'Lettera di invito per vaccinazione',
  '112062-5': 'Relazione di Telemonitoraggio',
  '75496-0': 'Referto di Televisita',
  '85208-7': 'Referto di Teleconsulto',
  '112063-3': 'Referto di Teleassistenza',
  '111827-2': 'Report settimanale di telemonitoraggio',
}

/** Every document type, for a question about all of them. */
export const documentTypes: readonly { readonly code: string; readonly scheme: string }[] = Object.keys(typeCodes).map(
  (code) => ({ code, scheme: loinc }),
)

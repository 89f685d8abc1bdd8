import type { Code } from './entry.ts'

const scheme = {
  typeCode: '2.16.840.1.113883.6.1',
  classCode: '2.16.840.1.113883.2.9.3.3.6.1.5',
  formatCode: '2.16.840.1.113883.2.9.3.3.6.1.6',
  facilityType: '2.16.840.1.113883.2.9.3.3.6.1.1',
  practiceSetting: '2.16.840.1.113883.2.9.3.3.6.1.2',
  event: '2.16.840.1.113883.2.9.3.3.6.1.3',
  contentType: '2.16.840.1.113883.2.9.3.3.6.1.4',
  confidentiality: '2.16.840.1.113883.5.25',
} as const

type Set = keyof typeof scheme
const coded =
  (set: Set, table: Readonly<Record<string, string>>) =>
  (code: string): Code => {
    const display = table[code]
    if (display === undefined) throw new Error(`${code} is not in the value set ${set}`)
    return { code, display, scheme: scheme[set] }
  }

/** Value sets of the Affinity Domain, as far as the synthetic documents use them (ini.md §4). */
export const typeCode = coded('typeCode', {
  '11502-2': 'Referto di Laboratorio',
  '68604-8': 'Referto di radiologia',
  '11526-1': 'Referto di anatomia patologica',
  '11488-4': 'Referto specialistico',
  '34105-7': 'Lettera di dimissione ospedaliera',
  '18842-5': 'Lettera di dimissione non ospedaliera',
  '59258-4': 'Verbale di pronto soccorso',
  '60591-5': 'Profilo Sanitario Sintetico',
  '18776-5': 'Piano terapeutico',
  '87273-9': 'Scheda di singola vaccinazione',
  '82593-5': 'Certificato vaccinale',
  '57833-6': 'Prescrizione farmaceutica',
  '57832-8': 'Prescrizione diagnostica o specialistica',
  '29304-3': 'Erogazione farmaceutica',
  '81223-0': 'Erogazione specialistica',
  '57827-8': 'Documento di esenzione',
  '75496-0': 'Referto di Televisita',
  '85208-7': 'Referto di Teleconsulto',
  '101134-5': 'Promemoria di appuntamento',
  '108276-7': 'Lettera di invito per screening o altri percorsi di prevenzione',
  '104531-9': 'Certificato di malattia',
  '68814-3': 'Bilanci di salute pediatrici',
  '112062-5': 'Relazione di Telemonitoraggio',
  '101881-1': 'Tessera portatori di impianto',
  '103140-0': 'Personal health attachment (documento generico inserito dal paziente in caso di taccuino)',
})

export const classCode = coded('classCode', {
  REF: 'Referto',
  LDO: 'Lettera di dimissione sia ospedaliera, sia non ospedaliera',
  SUM: 'Sommario',
  TAC: 'Taccuino',
  PRS: 'Prescrizione',
  PRE: 'Prestazioni',
  ESE: 'Esenzione',
  PDC: 'Piano di cura',
  VAC: 'Vaccino',
  VRB: 'Verbale',
  CNT: 'Documento di controllo',
  CRT: 'Certificato Amministrativo Generico',
  LET: 'Lettera',
  PRO: 'Promemoria',
})

export const formatCode = coded('formatCode', {
  PDF: 'PDF',
  'SistemaTS-Esenzione': 'Esenzione da reddito Sistema TS',
  '2.16.840.1.113883.2.9.10.1.1': 'Referto di Laboratorio',
  '2.16.840.1.113883.2.9.10.1.2.1': 'Prescrizione farmaceutica Sistema TS',
  '2.16.840.1.113883.2.9.10.1.2.2': 'Prescrizione specialistica Sistema TS',
  '2.16.840.1.113883.2.9.10.1.4.1.1': 'Profilo Sanitario Sintetico',
  '2.16.840.1.113883.2.9.10.1.5': 'Lettera di Dimissione Ospedaliera',
  '2.16.840.1.113883.2.9.10.1.6.1': 'Verbale di Pronto Soccorso',
  '2.16.840.1.113883.2.9.10.1.7.1': 'Referto di Radiologia',
  '2.16.840.1.113883.2.9.10.1.8.1': 'Referto di Anatomia Patologica',
  '2.16.840.1.113883.2.9.10.1.9.1': 'Referto di Specialistica Ambulatoriale',
  '2.16.840.1.113883.2.9.10.1.11.1.1': 'Scheda della singola Vaccinazione',
  '2.16.840.1.113883.2.9.10.1.11.1.2': 'Certificato Vaccinale',
  '2.16.840.1.113883.2.9.10.1.12.1': 'Documento generico',
  '2.16.840.1.113883.2.9.10.1.13.1.1': 'Erogato SistemaTS farmaceutica',
  '2.16.840.1.113883.2.9.10.1.13.1.2': 'Erogato SistemaTS specialistica',
  '2.16.840.1.113883.2.9.10.1.14.1': 'Lettera di invito per screening o ad altri percorsi di prevenzione',
  '2.16.840.1.113883.2.9.10.1.16.1.1': 'Referto di Televisita',
  '2.16.840.1.113883.2.9.10.1.16.2.1': 'Relazione di teleconsulto',
  '2.16.840.1.113883.2.9.10.1.16.3.1': 'Relazione finale di telemonitoraggio',
  '2.16.840.1.113883.2.9.10.1.17.1': 'Tessera portatore di impianto',
  '2.16.840.1.113883.2.9.4.3.14': 'Piano Terapeutico',
})

export const facilityType = (code: 'Ospedale' | 'Prevenzione' | 'Territorio' | 'SistemaTS' | 'Cittadino'): Code => ({
  code,
  display: code,
  scheme: scheme.facilityType,
})

export const practiceSetting = coded('practiceSetting', {
  AD_PSC003: 'Anatomia e Istologia Patologica',
  AD_PSC004: 'Osservazione breve intensiva (OBI) e Pronto Soccorso',
  AD_PSC008: 'Cardiologia',
  AD_PSC009: 'Chirurgia Generale',
  AD_PSC026: 'Medicina Generale',
  AD_PSC032: 'Neurologia',
  AD_PSC034: 'Oculistica',
  AD_PSC036: 'Ortopedia e Traumatologia',
  AD_PSC039: 'Pediatria',
  AD_PSC040: 'Psichiatria',
  AD_PSC052: 'Dermatologia',
  AD_PSC058: 'Gastroenterologia',
  AD_PSC062: 'Neonatologia',
  AD_PSC069: 'Radiologia',
  AD_PSC100: 'Laboratorio Analisi Chimico Cliniche',
  AD_PSC101: 'Microbiologia e Virologia',
  AD_PSC103: 'Radiodiagnostica',
  AD_PSC130: 'Medicina di Base',
  AD_PSC131: 'Assistenza Territoriale',
  AD_PSC999: 'Altro',
})

export const confidentiality = coded('confidentiality', { N: 'Normal', R: 'Restricted', V: 'Very Restricted' })

export const event = coded('event', {
  P99: 'Oscuramento del documento',
  P00: 'De-Oscuramento in alimentazione',
  PUBLICPOL: 'Prescrizione farmaceutica SSN',
  'LP267463-0': 'Reddito',
  J07BB02: 'influenza, inactivated, split virus or surface antigen',
  J07BN01: 'covid-19, RNA-based vaccine',
  J07AM51: 'tetanus toxoid, combinations with diphtheria toxoid',
})

export const contentType = coded('contentType', {
  PHR: 'Personal Health Record Update',
  CON: 'Consulto',
  DIS: 'Discharge',
  ERP: 'Erogazione Prestazione Prenotata',
  'Sistema TS': 'Documenti sistema TS',
  INI: 'Documenti INI',
})

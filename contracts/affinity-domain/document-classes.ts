/** Coding scheme of classCode. */
export const classScheme = '2.16.840.1.113883.2.9.3.3.6.1.5'

/** classCode of the Italian affinity domain (AD table 2.3-1, ini.md §4.2), in the displays of AD 2.6.4. */
export const classCodes: Readonly<Record<string, string>> = {
  WOR: 'Documento di workflow',
  REF: 'Referto',
  LDO: 'Lettera di dimissione sia ospedaliera, sia non ospedaliera',
  RIC: 'Richiesta',
  SUM: 'Sommario',
  TAC: 'Taccuino',
  PRS: 'Prescrizione',
  PRE: 'Prestazioni',
  ESE: 'Esenzione',
  PDC: 'Piano di cura',
  VAC: 'Vaccino',
  CER: 'Certificato per DGC',
  VRB: 'Verbale',
  CON: 'Documento di consenso',
  CNT: 'Documento di controllo',
  CRT: 'Certificato Amministrativo Generico',
  LET: 'Lettera',
  PRO: 'Promemoria',
  COL: 'Collezione documentale',
}

/** Classes that AD 2.6.4 brought. */
export const newClassCodes: ReadonlySet<string> = new Set(['LET', 'PRO', 'COL'])

/** Roles of those who ask (AD table 6.4-1, ini.md §4.6): `urn:oasis:names:tc:xacml:2.0:subject:role`. */
export const roles: Readonly<Record<string, string>> = {
  AAS: 'Personale di assistenza ad alta specializzazione',
  APR: 'Medico Medicina Generale / Pediatra di Libera Scelta',
  PSS: 'Professionista del sociale',
  INF: 'Personale infermieristico',
  FAR: 'Farmacista',
  DSA: 'Direttore sanitario',
  DAM: 'Direttore amministrativo',
  OAM: 'Operatore amministrativo',
  ASS: 'Assistito',
  TUT: 'Tutore',
  ING: 'Informal giver (Assistito)',
  GEN: 'Genitore Assistito',
  NOR: 'Nodo regionale',
  DRS: 'Dirigente sanitario',
  RSA: 'Medico RSA',
  MRP: 'Medico Rete di Patologia',
  INI: 'Infrastruttura Nazionale per l’Interoperabilità',
  OGC: 'Operatore per la gestione dei consensi',
  OPI: 'Operatore di informativa',
  MDS: 'Ruolo del Ministero della Salute per la gestione del DGC',
  GTW: 'Gateway',
  DAP: 'Dispositivo azienda produttrice',
}

/** Purposes of use (AD table 6.4-2, ini.md §4.7). One has a space in it. */
export const purposesOfUse: Readonly<Record<string, string>> = {
  TREATMENT: 'Trattamento di cura ordinario',
  EMERGENCY: 'Trattamento in emergenza',
  PUBEMERGENCY: 'Trattamento per la salvaguardia di un terzo o della collettività',
  SYSADMIN: 'Trasferimento del FSE e Avvio del processo di catena dell’oscuramento.',
  PERSONAL: 'Consultazione del FSE',
  UPDATE: 'Invalidamento e aggiornamento di un documento',
  'ACCESS UPDATE': 'Aggiornamento di un documento e della politica di oscuramento P99',
  CONSENT: 'Comunicazione valori consensi',
  ADMINISTRATIVE: 'Operazioni amministrative',
}

/** Actions (AD table 6.4-5, ini.md §4.8). */
export const actionIds: Readonly<Record<string, string>> = {
  CREATE: 'Creazione',
  READ: 'Lettura',
  UPDATE: 'Aggiornamento',
  DELETE: 'Cancellazione',
}

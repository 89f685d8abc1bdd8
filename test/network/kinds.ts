import type { Code } from './entry.ts'
import { classCode, contentType, event, facilityType, formatCode, practiceSetting, typeCode } from './value-sets.ts'

/** What documents of one type look like: how often they occur, and what their metadata may say. */
export interface Kind {
  readonly type: Code
  readonly weight: number
  readonly title: string
  readonly class: Code
  readonly format: Code
  readonly facilities: readonly Code[]
  readonly settings: readonly Code[]
  readonly roles: readonly string[]
  readonly content: Code
  /** One of these stands in the event list. */
  readonly events?: readonly Code[]
  /** Documents that Sistema TS makes: their id is the prescription's number and this suffix. */
  readonly prescription?: '_PRESPEC' | '_PREFARM' | '_EROSPEC' | '_EROFARM'
  /** May cite the prescription it answers. */
  readonly answersPrescription?: true
  readonly administrativeRequest?: string
}

const ssn = 'SSN^Regime SSN'
const hospital = facilityType('Ospedale')
const territory = facilityType('Territorio')
const sistemaTs = facilityType('SistemaTS')
const cda = (suffix: string): Code => formatCode(`2.16.840.1.113883.2.9.10.1.${suffix}`)
const clinics = ['AD_PSC008', 'AD_PSC032', 'AD_PSC034', 'AD_PSC036', 'AD_PSC052', 'AD_PSC058'].map(practiceSetting)

const table: readonly Kind[] = [
  {
    type: typeCode('11502-2'),
    weight: 28,
    title: 'Referto di laboratorio',
    class: classCode('REF'),
    format: cda('1'),
    facilities: [hospital, territory],
    settings: [practiceSetting('AD_PSC100'), practiceSetting('AD_PSC101')],
    roles: ['AAS', 'DRS'],
    content: contentType('CON'),
    answersPrescription: true,
    administrativeRequest: ssn,
  },
  {
    type: typeCode('68604-8'),
    weight: 12,
    title: 'Referto di radiologia',
    class: classCode('REF'),
    format: cda('7.1'),
    facilities: [hospital],
    settings: [practiceSetting('AD_PSC069'), practiceSetting('AD_PSC103')],
    roles: ['AAS'],
    content: contentType('CON'),
    answersPrescription: true,
    administrativeRequest: ssn,
  },
  {
    type: typeCode('11526-1'),
    weight: 3,
    title: 'Referto di anatomia patologica',
    class: classCode('REF'),
    format: cda('8.1'),
    facilities: [hospital],
    settings: [practiceSetting('AD_PSC003')],
    roles: ['AAS'],
    content: contentType('CON'),
    administrativeRequest: ssn,
  },
  {
    type: typeCode('11488-4'),
    weight: 16,
    title: 'Referto di visita specialistica',
    class: classCode('REF'),
    format: cda('9.1'),
    facilities: [hospital, territory],
    settings: clinics,
    roles: ['AAS', 'DRS'],
    content: contentType('CON'),
    answersPrescription: true,
    administrativeRequest: ssn,
  },
  {
    type: typeCode('34105-7'),
    weight: 4,
    title: 'Lettera di dimissione',
    class: classCode('LDO'),
    format: cda('5'),
    facilities: [hospital],
    settings: [practiceSetting('AD_PSC009'), practiceSetting('AD_PSC026'), practiceSetting('AD_PSC036')],
    roles: ['AAS', 'DRS'],
    content: contentType('DIS'),
    administrativeRequest: 'INPATIENT^Regime di ricovero',
  },
  {
    type: typeCode('18842-5'),
    weight: 1,
    title: 'Lettera di dimissione da struttura territoriale',
    class: classCode('LDO'),
    format: formatCode('PDF'),
    facilities: [territory],
    settings: [practiceSetting('AD_PSC131')],
    roles: ['RSA'],
    content: contentType('DIS'),
  },
  {
    type: typeCode('59258-4'),
    weight: 5,
    title: 'Verbale di pronto soccorso',
    class: classCode('VRB'),
    format: cda('6.1'),
    facilities: [hospital],
    settings: [practiceSetting('AD_PSC004')],
    roles: ['AAS'],
    content: contentType('CON'),
    administrativeRequest: ssn,
  },
  {
    type: typeCode('60591-5'),
    weight: 1,
    title: 'Profilo sanitario sintetico',
    class: classCode('SUM'),
    format: cda('4.1.1'),
    facilities: [territory],
    settings: [practiceSetting('AD_PSC130')],
    roles: ['APR'],
    content: contentType('PHR'),
  },
  {
    type: typeCode('18776-5'),
    weight: 2,
    title: 'Piano terapeutico',
    class: classCode('PDC'),
    format: formatCode('2.16.840.1.113883.2.9.4.3.14'),
    facilities: [hospital, territory],
    settings: clinics,
    roles: ['AAS'],
    content: contentType('CON'),
  },
  {
    type: typeCode('87273-9'),
    weight: 5,
    title: 'Scheda della singola vaccinazione',
    class: classCode('VAC'),
    format: cda('11.1.1'),
    facilities: [facilityType('Prevenzione')],
    settings: [practiceSetting('AD_PSC131')],
    roles: ['APR', 'AAS', 'INF'],
    content: contentType('PHR'),
    events: [event('J07BB02'), event('J07BN01'), event('J07AM51')],
  },
  {
    type: typeCode('82593-5'),
    weight: 1,
    title: 'Certificato vaccinale',
    class: classCode('VAC'),
    format: cda('11.1.2'),
    facilities: [facilityType('Prevenzione')],
    settings: [practiceSetting('AD_PSC131')],
    roles: ['APR'],
    content: contentType('PHR'),
  },
  {
    type: typeCode('57833-6'),
    weight: 8,
    title: 'Prescrizione farmaceutica',
    class: classCode('PRS'),
    format: cda('2.1'),
    facilities: [sistemaTs],
    settings: [practiceSetting('AD_PSC130')],
    roles: ['APR'],
    content: contentType('Sistema TS'),
    events: [event('PUBLICPOL')],
    prescription: '_PREFARM',
    administrativeRequest: ssn,
  },
  {
    type: typeCode('57832-8'),
    weight: 8,
    title: 'Prescrizione specialistica',
    class: classCode('PRS'),
    format: cda('2.2'),
    facilities: [sistemaTs],
    settings: [practiceSetting('AD_PSC130')],
    roles: ['APR'],
    content: contentType('Sistema TS'),
    prescription: '_PRESPEC',
    administrativeRequest: ssn,
  },
  {
    type: typeCode('29304-3'),
    weight: 5,
    title: 'Erogazione farmaceutica',
    class: classCode('PRE'),
    format: cda('13.1.1'),
    facilities: [sistemaTs],
    settings: [practiceSetting('AD_PSC130')],
    roles: ['FAR'],
    content: contentType('Sistema TS'),
    prescription: '_EROFARM',
    administrativeRequest: ssn,
  },
  {
    type: typeCode('81223-0'),
    weight: 3,
    title: 'Erogazione specialistica',
    class: classCode('PRE'),
    format: cda('13.1.2'),
    facilities: [sistemaTs],
    settings: [practiceSetting('AD_PSC131')],
    roles: ['AAS'],
    content: contentType('Sistema TS'),
    prescription: '_EROSPEC',
    administrativeRequest: ssn,
  },
  {
    type: typeCode('57827-8'),
    weight: 1,
    title: 'Esenzione da reddito',
    class: classCode('ESE'),
    format: formatCode('SistemaTS-Esenzione'),
    facilities: [sistemaTs],
    settings: [practiceSetting('AD_PSC999')],
    roles: ['OAM'],
    content: contentType('Sistema TS'),
    events: [event('LP267463-0')],
  },
  {
    type: typeCode('75496-0'),
    weight: 2,
    title: 'Referto di televisita',
    class: classCode('REF'),
    format: cda('16.1.1'),
    facilities: [territory],
    settings: clinics,
    roles: ['AAS'],
    content: contentType('CON'),
  },
  {
    type: typeCode('85208-7'),
    weight: 1,
    title: 'Relazione di teleconsulto',
    class: classCode('REF'),
    format: cda('16.2.1'),
    facilities: [hospital],
    settings: clinics,
    roles: ['AAS'],
    content: contentType('CON'),
  },
  {
    type: typeCode('101134-5'),
    weight: 2,
    title: 'Promemoria di appuntamento',
    class: classCode('PRO'),
    format: formatCode('PDF'),
    facilities: [territory],
    settings: [practiceSetting('AD_PSC999')],
    roles: ['OAM'],
    content: contentType('ERP'),
  },
  {
    type: typeCode('108276-7'),
    weight: 1,
    title: 'Lettera di invito allo screening',
    class: classCode('LET'),
    format: cda('14.1'),
    facilities: [facilityType('Prevenzione')],
    settings: [practiceSetting('AD_PSC131')],
    roles: ['OAM'],
    content: contentType('CON'),
  },
  {
    type: typeCode('104531-9'),
    weight: 2,
    title: 'Certificato di malattia',
    class: classCode('CRT'),
    format: cda('12.1'),
    facilities: [territory],
    settings: [practiceSetting('AD_PSC130')],
    roles: ['APR'],
    content: contentType('CON'),
  },
  {
    type: typeCode('112062-5'),
    weight: 1,
    title: 'Relazione finale di telemonitoraggio',
    class: classCode('CNT'),
    format: cda('16.3.1'),
    facilities: [territory],
    settings: [practiceSetting('AD_PSC008')],
    roles: ['AAS'],
    content: contentType('CON'),
  },
  {
    type: typeCode('101881-1'),
    weight: 1,
    title: 'Tessera di portatore di impianto',
    class: classCode('SUM'),
    format: cda('17.1'),
    facilities: [hospital],
    settings: [practiceSetting('AD_PSC036')],
    roles: ['AAS'],
    content: contentType('PHR'),
  },
  {
    type: typeCode('103140-0'),
    weight: 1,
    title: 'Allegato del taccuino personale',
    class: classCode('TAC'),
    format: formatCode('PDF'),
    facilities: [facilityType('Cittadino')],
    settings: [practiceSetting('AD_PSC999')],
    roles: ['ASS'],
    content: contentType('PHR'),
    administrativeRequest: 'AUTO^Autoprodotto',
  },
  {
    type: typeCode('68814-3'),
    weight: 0,
    title: 'Bilancio di salute pediatrico',
    class: classCode('CNT'),
    format: formatCode('PDF'),
    facilities: [territory],
    settings: [practiceSetting('AD_PSC039'), practiceSetting('AD_PSC062')],
    roles: ['APR'],
    content: contentType('PHR'),
  },
]

/** The kind of a type that is known to be in the table. */
export function kindOf(code: string): Kind {
  const kind = table.find(({ type }) => type.code === code)
  if (kind === undefined) throw new Error(`No kind of document has the type ${code}`)
  return kind
}

/** Every type there is, as an assertion names it. */
export const everyType: readonly string[] = table.map(({ type }) => `${type.code}^^${type.scheme}`)

/** Every kind as often as it weighs, for picking from. Those of Sistema TS apart: no region keeps them. */
export const commonKinds: readonly Kind[] = table
  .filter(({ prescription, type }) => prescription === undefined && type.code !== '57827-8')
  .flatMap((kind) => Array.from({ length: kind.weight }, () => kind))

export const sistemaTsKinds: readonly Kind[] = table
  .filter(({ prescription }) => prescription !== undefined)
  .flatMap((kind) => Array.from({ length: kind.weight }, () => kind))

import type { Demographics } from '../../core/model/demographics.ts'
import type { HomeCommunityId } from '../../core/model/identifiers.ts'
import type { FoundPerson } from '../../core/model/patient-discovery.ts'
import { escapeAttribute, escapeText } from '../xml-write.ts'
import type { DiscoveryFrame } from './discovery-request.ts'
import {
  hl7Interactions,
  hl7v3,
  type InstanceId,
  type MessageParty,
  writeGender,
  writeHome,
  writeInstanceId,
  writeName,
  writeParty,
  writePersonId,
} from './parts.ts'

/** A person a community knows. */
export interface DiscoveryMatch extends FoundPerson {
  /** Whom to ask for the person's documents: not always who answers. */
  readonly home: HomeCommunityId
  /** How sure the match is, in percent. */
  readonly degree?: number
}

/** What else could make a match (ITI TF-2: table 3.55.4.2.2.6-1). */
export type DemographicWanted =
  | 'LivingSubjectAdministrativeGenderRequested'
  | 'PatientAddressRequested'
  | 'PatientTelecomRequested'
  | 'LivingSubjectBirthPlaceNameRequested'
  | 'LivingSubjectBirthPlaceAddressRequested'
  | 'MothersMaidenNameRequested'

/** Why there is no answer (ITI TF-2: table 3.55.4.2.2.7-1). */
export type FailureReason = 'ResponderBusy' | 'AnswerNotAvailable' | 'InternalError'

/** The five cases of ITI TF-2: 3.55.4.2.3, one and several matches being one here. Peers may have codes of their own. */
export type DiscoveryOutcome<Wanted extends string = string, Reason extends string = string> =
  | { readonly kind: 'found'; readonly matches: readonly DiscoveryMatch[] }
  | { readonly kind: 'not-found' }
  | { readonly kind: 'more-wanted'; readonly wanted: readonly Wanted[] }
  /** `text` is for people. */
  | { readonly kind: 'failed'; readonly reason: Reason; readonly text?: string }

/** An answer to write. */
export interface DiscoveryToAnswer {
  readonly messageId: InstanceId
  /** `YYYYMMDDhhmmss` and the zone, `+0000`. */
  readonly created: string
  readonly sender: MessageParty
  readonly outcome: DiscoveryOutcome<DemographicWanted, FailureReason>
}

/** The message's name. */
export const discoveryAnswer = 'PRPA_IN201306UV02'
const schemaInstance = 'http://www.w3.org/2001/XMLSchema-instance'
/** Code systems of XCPD: what is wanted, what a custodian is, why something failed. */
const codes = {
  wanted: '1.3.6.1.4.1.19376.1.2.27.1',
  custodian: '1.3.6.1.4.1.19376.1.2.27.2',
  failure: '1.3.6.1.4.1.19376.1.2.27.3',
  act: '2.16.840.1.113883.5.4',
} as const

/** Writes a PRPA_IN201306UV02 that declares its own namespaces (ITI TF-2: 3.55.4.2.2). Throws RangeError on what XML cannot carry. */
export function encodeDiscoveryAnswer(answer: DiscoveryToAnswer, frame: DiscoveryFrame): string {
  const { outcome } = answer
  const failed = outcome.kind === 'failed'
  const text = failed && outcome.text !== undefined ? outcome.text : undefined
  const matches = outcome.kind === 'found' ? outcome.matches : []
  const responseCode = failed ? 'AE' : outcome.kind === 'not-found' ? 'NF' : 'OK'
  return [
    `<${discoveryAnswer} xmlns="${hl7v3}" xmlns:xsi="${schemaInstance}" ITSVersion="XML_1.0">`,
    writeInstanceId('id', answer.messageId),
    `<creationTime value="${escapeAttribute(answer.created)}"/>`,
    writeInstanceId('interactionId', { root: hl7Interactions, extension: discoveryAnswer }),
    `<processingCode code="${frame.processingCode}"/><processingModeCode code="T"/><acceptAckCode code="NE"/>`,
    writeParty('receiver', frame.sender),
    writeParty('sender', answer.sender),
    `<acknowledgement><typeCode code="${failed ? 'AE' : 'AA'}"/>`,
    `<targetMessage>${writeInstanceId('id', frame.messageId)}</targetMessage>`,
    text === undefined
      ? ''
      : `<acknowledgementDetail typeCode="E"><text>${escapeText(text)}</text></acknowledgementDetail>`,
    '</acknowledgement><controlActProcess classCode="CACT" moodCode="EVN">',
    `<code code="PRPA_TE201306UV02" codeSystem="${hl7Interactions}"/>`,
    ...matches.map(writeMatch),
    writeReason(outcome),
    `<queryAck>${frame.queryId === undefined ? '' : writeInstanceId('queryId', frame.queryId)}`,
    `<statusCode code="${failed ? 'aborted' : 'deliveredResponse'}"/><queryResponseCode code="${responseCode}"/>`,
    `<resultTotalQuantity value="${matches.length}"/><resultCurrentQuantity value="${matches.length}"/>`,
    '<resultRemainingQuantity value="0"/></queryAck>',
    frame.query ?? '',
    `</controlActProcess></${discoveryAnswer}>`,
  ].join('')
}

function writeMatch({ home, patientId, otherIds, demographics, degree = 100 }: DiscoveryMatch): string {
  return [
    '<subject typeCode="SUBJ"><registrationEvent classCode="REG" moodCode="EVN">',
    '<id nullFlavor="NA"/><statusCode code="active"/><subject1 typeCode="SBJ"><patient classCode="PAT">',
    `${writePersonId('id', patientId)}<statusCode code="active"/>`,
    '<patientPerson classCode="PSN" determinerCode="INSTANCE">',
    writeDemographics(demographics),
    ...otherIds.map(
      (id) =>
        `<asOtherIDs classCode="PAT">${writePersonId('id', id)}` +
        '<scopingOrganization classCode="ORG" determinerCode="INSTANCE">' +
        `${writeInstanceId('id', { root: id.authority })}</scopingOrganization></asOtherIDs>`,
    ),
    '</patientPerson><providerOrganization classCode="ORG" determinerCode="INSTANCE">',
    `${writeHome('id', home)}<contactParty classCode="CON"/></providerOrganization>`,
    '<subjectOf1><queryMatchObservation classCode="COND" moodCode="EVN"><code code="IHE_PDQ"/>',
    `<value xsi:type="INT" value="${degree}"/></queryMatchObservation></subjectOf1></patient></subject1>`,
    `<custodian typeCode="CST"><assignedEntity classCode="ASSIGNED">${writeHome('id', home)}`,
    `<code code="NotHealthDataLocator" codeSystem="${codes.custodian}"/></assignedEntity></custodian>`,
    '</registrationEvent></subject>',
  ].join('')
}

/** Who asked by an identifier alone may be told no name, and then nothing else (ITI TF-2: table 3.55.4.2.2.2-1). */
function writeDemographics(demographics: Demographics | undefined): string {
  if (demographics === undefined || demographics.names.length === 0) return '<name nullFlavor="NA"/>'
  const { names, birthDate, gender } = demographics
  return [
    ...names.map((name) => writeName('name', name)),
    gender === undefined ? '' : writeGender('administrativeGenderCode', gender),
    birthDate === undefined ? '' : `<birthTime value="${birthDate}"/>`,
  ].join('')
}

/** `moodCode` of a management is EVN where the framework's text has RQO: the schema of HL7 allows no other. */
function writeReason(outcome: DiscoveryToAnswer['outcome']): string {
  const because =
    outcome.kind === 'failed'
      ? [
          '<mitigatedBy typeCode="MITGT"><detectedIssueManagement classCode="ACT" moodCode="EVN">' +
            `<code code="${outcome.reason}" codeSystem="${codes.failure}"/></detectedIssueManagement></mitigatedBy>`,
        ]
      : outcome.kind === 'more-wanted'
        ? outcome.wanted.map(
            (code) =>
              '<triggerFor typeCode="TRIG"><actOrderRequired classCode="ACT" moodCode="RQO">' +
              `<code code="${code}" codeSystem="${codes.wanted}"/></actOrderRequired></triggerFor>`,
          )
        : []
  if (because.length === 0) return ''
  return (
    '<reasonOf typeCode="RSON"><detectedIssueEvent classCode="ALRT" moodCode="EVN">' +
    `<code code="ActAdministrativeDetectedIssueCode" codeSystem="${codes.act}"/>` +
    `${because.join('')}</detectedIssueEvent></reasonOf>`
  )
}

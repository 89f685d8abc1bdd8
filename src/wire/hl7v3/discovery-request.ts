import { GatewayError } from '../../core/errors.ts'
import type { Demographics } from '../../core/model/demographics.ts'
import { isOid } from '../../core/model/identifiers.ts'
import { patientId } from '../../core/model/patient.ts'
import type { SoughtPerson } from '../../core/model/patient-discovery.ts'
import { canonicalize } from '../c14n.ts'
import { NONE, type Node, XmlError, type XmlTree } from '../xml.ts'
import { escapeAttribute } from '../xml-write.ts'
import {
  at,
  attributeOf,
  hl7Interactions,
  hl7v3,
  type InstanceId,
  type MessageParty,
  readDay,
  readGender,
  readInstanceId,
  readName,
  readParty,
  readPersonId,
  writeGender,
  writeInstanceId,
  writeName,
  writeParty,
  writePersonId,
} from './parts.ts'

/** How a message is meant: for production, for training or for debugging (HL7 V3 ProcessingID). */
export type ProcessingCode = 'P' | 'T' | 'D'

/** What an answer repeats of its question. Whatever could not be read is absent. */
export interface DiscoveryFrame {
  readonly messageId?: InstanceId
  readonly queryId?: InstanceId
  readonly sender?: MessageParty
  readonly receiver?: MessageParty
  readonly processingCode: ProcessingCode
  /** The `queryByParameter` as a document of its own. */
  readonly query?: string
}

/** A question whether a community knows a person. */
export interface DiscoveryRequest {
  readonly frame: DiscoveryFrame
  /** Whether the answer is waited for, or to be sent later (Deferred Response Option). */
  readonly priority: 'immediate' | 'deferred'
  readonly sought: SoughtPerson
  /** How many answers the asker wants at first; nobody continues a discovery, so it binds nobody. */
  readonly initialQuantity?: number
  /** How sure a match must be, in percent. */
  readonly minimumDegree?: number
}

/** Values of one parameter, before anybody is looked for by them. */
const mostValues = 32

const interaction = 'PRPA_IN201305UV02'

/**
 * Reads a PRPA_IN201305UV02 (ITI TF-2: 3.55.4.1.2). Identifiers that are no OID with a value name nobody and are passed
 * over. Throws `request-malformed` for another message, and for one without ids or parameters; `parameter-invalid` for
 * an identifier its authority could not have assigned and for demographics that cannot be read; `parameter-count` for
 * too many. No message repeats a value.
 */
export function decodeDiscoveryRequest(tree: XmlTree, message: Node): DiscoveryRequest {
  if (!tree.is(message, hl7v3, interaction)) {
    throw new GatewayError('request-malformed', `A ${interaction} in the namespace of HL7 V3 was expected`)
  }
  const frame = readDiscoveryFrame(tree, message)
  const query = at(tree, message, 'controlActProcess', 'queryByParameter')
  const parameters = at(tree, query, 'parameterList')
  if (frame.messageId === undefined || frame.queryId === undefined || parameters === NONE) {
    throw new GatewayError('request-malformed', 'A patient discovery has an id, a queryId and a parameterList')
  }
  const initialQuantity = numberOf(tree, at(tree, query, 'initialQuantity'))
  const minimumDegree = numberOf(tree, at(tree, query, 'matchCriterionList', 'minimumDegreeMatch', 'value'))
  return {
    frame,
    priority: attributeOf(tree, at(tree, query, 'responsePriorityCode'), 'code') === 'D' ? 'deferred' : 'immediate',
    sought: soughtIn(tree, parameters),
    ...(initialQuantity === undefined ? {} : { initialQuantity }),
    ...(minimumDegree === undefined ? {} : { minimumDegree }),
  }
}

/** As much of a question as its answer repeats, also of one that cannot be answered. Throws nothing. */
export function readDiscoveryFrame(tree: XmlTree, message: Node): DiscoveryFrame {
  const query = at(tree, message, 'controlActProcess', 'queryByParameter')
  const messageId = readInstanceId(tree, at(tree, message, 'id'))
  const queryId = readInstanceId(tree, at(tree, query, 'queryId'))
  const sender = readParty(tree, at(tree, message, 'sender'))
  const receiver = readParty(tree, at(tree, message, 'receiver'))
  const code = attributeOf(tree, at(tree, message, 'processingCode'), 'code')
  const echo = query === NONE ? undefined : canonical(tree, query)
  return {
    ...(messageId === undefined ? {} : { messageId }),
    ...(queryId === undefined ? {} : { queryId }),
    ...(sender === undefined ? {} : { sender }),
    ...(receiver === undefined ? {} : { receiver }),
    processingCode: code === 'T' || code === 'D' ? code : 'P',
    ...(echo === undefined ? {} : { query: echo }),
  }
}

/** With its namespaces, so that it can stand in the answer; undefined when it has no such form. */
function canonical(tree: XmlTree, node: Node): string | undefined {
  try {
    return canonicalize(tree, node)
  } catch (error) {
    if (error instanceof XmlError) return undefined
    throw error
  }
}

function soughtIn(tree: XmlTree, parameters: Node): SoughtPerson {
  const values = (name: string) => {
    const found = tree.children(parameters, hl7v3, name).flatMap((one) => tree.children(one, hl7v3, 'value'))
    if (found.length > mostValues) throw new GatewayError('parameter-count', `There are too many of ${name}`)
    return found
  }
  const only = <T>(name: string, read: (tree: XmlTree, node: Node) => T | undefined): T | undefined => {
    const [first, ...others] = new Set(values(name).flatMap((node) => read(tree, node) ?? []))
    if (others.length > 0) throw new GatewayError('parameter-count', `There may be one ${name}`)
    return first
  }
  const birthDate = only('livingSubjectBirthTime', readDay)
  const gender = only('livingSubjectAdministrativeGender', readGender)
  return {
    identifiers: values('livingSubjectId').flatMap((node) => {
      const id = readPersonId(tree, node)
      return id === undefined ? [] : [patientId(id.value, id.authority)]
    }),
    demographics: {
      names: values('livingSubjectName').flatMap((node) => readName(tree, node) ?? []),
      ...(birthDate === undefined ? {} : { birthDate }),
      ...(gender === undefined ? {} : { gender }),
    },
    authorities: values('otherIDsScopingOrganization').flatMap((node) => {
      const root = attributeOf(tree, node, 'root') ?? ''
      return isOid(root) ? [root] : []
    }),
  }
}

function numberOf(tree: XmlTree, node: Node): number | undefined {
  const value = attributeOf(tree, node, 'value')
  return value === undefined || !/^[0-9]{1,9}$/.test(value) ? undefined : Number(value)
}

/** A question to write: what of its frame and parameters is optional is written where it is told. */
export interface DiscoveryToAsk extends Omit<DiscoveryRequest, 'frame'> {
  readonly messageId: InstanceId
  readonly queryId: InstanceId
  /** `YYYYMMDDhhmmss` and the zone, `+0000`. */
  readonly created: string
  readonly sender: MessageParty
  readonly receiver: MessageParty
  readonly processingCode?: ProcessingCode
}

/** Writes a PRPA_IN201305UV02 that declares its own namespace. Throws RangeError on what XML cannot carry. */
export function encodeDiscoveryRequest(question: DiscoveryToAsk): string {
  const { messageId, queryId, created, sender, receiver, processingCode = 'P', priority } = question
  return [
    `<${interaction} xmlns="${hl7v3}" ITSVersion="XML_1.0">`,
    writeInstanceId('id', messageId),
    `<creationTime value="${escapeAttribute(created)}"/>`,
    writeInstanceId('interactionId', { root: hl7Interactions, extension: interaction }),
    `<processingCode code="${processingCode}"/><processingModeCode code="T"/><acceptAckCode code="AL"/>`,
    writeParty('receiver', receiver),
    writeParty('sender', sender),
    '<controlActProcess classCode="CACT" moodCode="EVN">',
    `<code code="PRPA_TE201305UV02" codeSystem="${hl7Interactions}"/><queryByParameter>`,
    writeInstanceId('queryId', queryId),
    '<statusCode code="new"/><responseModalityCode code="R"/>',
    `<responsePriorityCode code="${priority === 'deferred' ? 'D' : 'I'}"/>`,
    question.initialQuantity === undefined ? '' : `<initialQuantity value="${question.initialQuantity}"/>`,
    question.minimumDegree === undefined
      ? ''
      : '<matchCriterionList><minimumDegreeMatch>' +
        `<value xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="INT" value="${question.minimumDegree}"/>` +
        '<semanticsText>MinimumDegreeMatch</semanticsText></minimumDegreeMatch></matchCriterionList>',
    `<parameterList>${writeSought(question.sought)}</parameterList>`,
    `</queryByParameter></controlActProcess></${interaction}>`,
  ].join('')
}

function writeSought({ identifiers, demographics, authorities }: SoughtPerson): string {
  const { names, birthDate, gender }: Demographics = demographics
  return [
    ...(gender === undefined
      ? []
      : parameter('livingSubjectAdministrativeGender', 'LivingSubject.administrativeGender', [
          writeGender('value', gender),
        ])),
    ...(birthDate === undefined
      ? []
      : parameter('livingSubjectBirthTime', 'LivingSubject.birthTime', [`<value value="${birthDate}"/>`])),
    ...identifiers.flatMap((id) => parameter('livingSubjectId', 'LivingSubject.id', [writePersonId('value', id)])),
    ...(names.length === 0
      ? []
      : parameter(
          'livingSubjectName',
          'LivingSubject.name',
          names.map((name) => writeName('value', name)),
        )),
    ...authorities.flatMap((root) =>
      parameter('otherIDsScopingOrganization', 'OtherIDs.scopingOrganization.id', [writeInstanceId('value', { root })]),
    ),
  ].join('')
}

function parameter(name: string, semantics: string, values: readonly string[]): string[] {
  return [`<${name}>${values.join('')}<semanticsText>${semantics}</semanticsText></${name}>`]
}

import { GatewayError } from '../../core/errors.ts'
import type { Demographics } from '../../core/model/demographics.ts'
import { NONE, type Node, type XmlTree } from '../xml.ts'
import { type DiscoveryMatch, type DiscoveryOutcome, discoveryAnswer } from './discovery-answer.ts'
import {
  at,
  attributeOf,
  hl7v3,
  type InstanceId,
  readDay,
  readGender,
  readHome,
  readInstanceId,
  readName,
  readPersonId,
} from './parts.ts'

/** An answer as it was read. */
export interface DiscoveryAnswer {
  /** The id of the message it answers, and of the query. */
  readonly answers?: InstanceId
  readonly queryId?: InstanceId
  readonly outcome: DiscoveryOutcome
}

/** Answers of one community, beyond which it makes no sense to go on. */
const mostMatches = 64

/**
 * Reads a PRPA_IN201306UV02. Codes are matched by their text and not by their system, commit acknowledgements are taken
 * for those of an application (ihe.md §1.11). Throws `community-misbehaved` for another message, one that says neither
 * whether it found anything nor why not, and for a match without identifier or community.
 */
export function decodeDiscoveryAnswer(tree: XmlTree, message: Node): DiscoveryAnswer {
  if (!tree.is(message, hl7v3, discoveryAnswer)) throw nonsense('something other than a patient discovery response')
  const acknowledgement = at(tree, message, 'acknowledgement')
  const act = at(tree, message, 'controlActProcess')
  const answers = readInstanceId(tree, at(tree, acknowledgement, 'targetMessage', 'id'))
  const queryId = readInstanceId(tree, at(tree, act, 'queryAck', 'queryId'))
  return {
    ...(answers === undefined ? {} : { answers }),
    ...(queryId === undefined ? {} : { queryId }),
    outcome: outcomeOf(tree, acknowledgement, act),
  }
}

function outcomeOf(tree: XmlTree, acknowledgement: Node, act: Node): DiscoveryOutcome {
  const accepted = attributeOf(tree, at(tree, acknowledgement, 'typeCode'), 'code')
  const code = attributeOf(tree, at(tree, act, 'queryAck', 'queryResponseCode'), 'code')
  const issues =
    act === NONE ? [] : tree.children(act, hl7v3, 'reasonOf').map((one) => at(tree, one, 'detectedIssueEvent'))
  const codesUnder = (...path: readonly [string, ...string[]]) => issueCodes(tree, issues, path)
  if ((accepted !== 'AA' && accepted !== 'CA') || (code !== 'OK' && code !== 'NF')) {
    const [reason] = codesUnder('mitigatedBy', 'detectedIssueManagement')
    if (accepted === undefined) throw nonsense('a response that acknowledges nothing')
    const detail = at(tree, acknowledgement, 'acknowledgementDetail', 'text')
    const text = detail === NONE ? '' : tree.text(detail).trim()
    return { kind: 'failed', reason: reason ?? 'InternalError', ...(text === '' ? {} : { text }) }
  }
  if (code === 'NF') return { kind: 'not-found' }
  const subjects = tree.children(act, hl7v3, 'subject')
  if (subjects.length > mostMatches) throw nonsense('too many people')
  if (subjects.length > 0) return { kind: 'found', matches: subjects.map((subject) => matchOf(tree, subject)) }
  const wanted = codesUnder('triggerFor', 'actOrderRequired')
  return wanted.length === 0 ? { kind: 'not-found' } : { kind: 'more-wanted', wanted }
}

function issueCodes(
  tree: XmlTree,
  issues: readonly Node[],
  [first, ...rest]: readonly [string, ...string[]],
): string[] {
  return issues
    .flatMap((issue) => (issue === NONE ? [] : tree.children(issue, hl7v3, first)))
    .flatMap((node) => attributeOf(tree, at(tree, node, ...rest, 'code'), 'code') ?? [])
}

function matchOf(tree: XmlTree, subject: Node): DiscoveryMatch {
  const event = at(tree, subject, 'registrationEvent')
  const patient = at(tree, event, 'subject1', 'patient')
  const home = readHome(tree, at(tree, event, 'custodian', 'assignedEntity', 'id'))
  if (patient === NONE || home === undefined) throw nonsense('a person without their community')
  const person = at(tree, patient, 'patientPerson')
  const others = person === NONE ? [] : tree.children(person, hl7v3, 'asOtherIDs')
  const [patientId, ...more] = tree.children(patient, hl7v3, 'id').flatMap((id) => readPersonId(tree, id) ?? [])
  if (patientId === undefined) throw nonsense('a person without an identifier')
  const otherIds = others
    .flatMap((other) => tree.children(other, hl7v3, 'id'))
    .flatMap((id) => readPersonId(tree, id) ?? [])
  const observed = at(tree, patient, 'subjectOf1', 'queryMatchObservation', 'value')
  const degree = attributeOf(tree, observed, 'value')
  const demographics = person === NONE ? undefined : demographicsOf(tree, person)
  return {
    home,
    patientId,
    otherIds: [...more, ...otherIds],
    ...(demographics === undefined ? {} : { demographics }),
    ...(degree === undefined || !/^[0-9]{1,3}$/.test(degree) ? {} : { degree: Number(degree) }),
  }
}

function demographicsOf(tree: XmlTree, person: Node): Demographics | undefined {
  const birth = at(tree, person, 'birthTime')
  const sex = at(tree, person, 'administrativeGenderCode')
  try {
    const names = tree.children(person, hl7v3, 'name').flatMap((name) => readName(tree, name) ?? [])
    const birthDate = birth === NONE ? undefined : readDay(tree, birth)
    const gender = sex === NONE ? undefined : readGender(tree, sex)
    if (names.length === 0 && birthDate === undefined && gender === undefined) return undefined
    return {
      names,
      ...(birthDate === undefined ? {} : { birthDate }),
      ...(gender === undefined ? {} : { gender }),
    }
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    throw new GatewayError('community-misbehaved', 'The community described a person unreadably', { cause: error })
  }
}

function nonsense(what: string): GatewayError {
  return new GatewayError('community-misbehaved', `The community answered with ${what}`)
}

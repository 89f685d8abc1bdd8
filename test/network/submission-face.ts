import type { Asked } from './asked.ts'
import type { Setting } from './behaviour.ts'
import type { Claimed } from './check-assertion.ts'
import type { RegistryIssue } from './ebrim.ts'
import { associationType, cx, type Entry, type Holdings } from './entry.ts'
import { SoapFault, securityFault } from './faults.ts'
import { admit, onceOnly, type RegistryFace, soapExchange, soapReply } from './registry-face.ts'
import type { Face } from './server.ts'
import type { Message } from './soap.ts'
import { RegistryProblem } from './stored-query.ts'
import {
  deleteDocumentSet,
  nationalDelete,
  registerDocumentSet,
  registryResponse,
  updateDocumentSet,
} from './submission.ts'
import { readRemoval, readSubmission } from './submission-read.ts'
import type { WritableRegistry } from './writable-registry.ts'

/** What can be done to a registry. */
export type Change = 'register' | 'update' | 'delete'

/** Who may change a registry, in which manner. */
export interface SubmissionFace
  extends Pick<RegistryFace, 'path' | 'dialect' | 'addressing' | 'admits' | 'trust' | 'claims' | 'identification'> {
  readonly change: Change
  readonly registry: WritableRegistry
}

const professionals = new Set('AAS APR PSS INF FAR DSA DAM OAM DRS RSA MRP'.split(' '))
/** Nobody's own doing: index transfer and hiding chain (ini.md §2.4). */
const systems = new Set(['NOR', 'INI'])

interface Rule {
  readonly actions: readonly string[]
  readonly says: readonly string[]
  readonly professional: readonly string[]
  readonly system: readonly string[]
}

/** Actions, and purposes of use of professionals and of systems (ini.md §2.4). */
const rules: Readonly<Record<Change, Rule>> = {
  register: {
    actions: [registerDocumentSet],
    says: ['CREATE', 'UPDATE'],
    professional: ['TREATMENT', 'EMERGENCY', 'PUBEMERGENCY', 'UPDATE', 'ACCESS UPDATE'],
    system: ['SYSADMIN'],
  },
  update: {
    actions: [updateDocumentSet],
    says: ['UPDATE'],
    professional: ['UPDATE', 'ACCESS UPDATE'],
    system: ['SYSADMIN', 'UPDATE', 'ACCESS UPDATE'],
  },
  delete: {
    actions: [deleteDocumentSet, nationalDelete],
    says: ['DELETE'],
    professional: ['UPDATE'],
    system: ['SYSADMIN'],
  },
}

const names = { register: 'ITI-42', update: 'ITI-57', delete: 'ITI-62' } as const

/** A registry that takes changes behind SOAP (ITI-42, ITI-57, ITI-62): opens, verifies, reads, registers. */
export function submissionFace(face: SubmissionFace): Face {
  const { change, path, registry } = face
  const rule = rules[change]
  const accept = onceOnly()
  const manner = { addressing: face.addressing, path, actions: rule.actions } as const

  function respond(message: Message, claimed: Claimed, { behave, issues }: Setting, asked: Asked): string {
    try {
      if (behave === 'refuse') return refusal(asked, issues ?? [generic], 'Error')
      if (behave === 'busy') return refusal(asked, [{ code: 'XDSRegistryBusy', text: 'Try again later' }], 'Error')
      registry.together(() => applyChange(change, registry, message, claimed), behave === 'forgetful')
      return behave === 'remark'
        ? registryResponse('Success', spoken(issues ?? [generic], 'Warning'))
        : registryResponse('Success')
    } catch (error) {
      if (!(error instanceof RegistryProblem)) throw error
      return refusal(asked, [{ code: error.code, text: error.message }], 'Error')
    }
  }

  return {
    name: change,
    contentType: 'application/soap+xml; charset=utf-8',
    serves: (served) => served === path,
    admits: face.admits,
    respond: (request, behaviour, asked, setting = { behave: behaviour }) =>
      soapExchange(request, asked, face.dialect, async () => {
        const { message, assertions, claimed } = admit(request, manner, face.trust, accept, asked, {
          most: face.identification === undefined ? 1 : 2,
          ...(face.claims && { claims: face.claims }),
        })
        const [, second] = assertions
        if (second !== undefined) face.identification?.(second)
        asked.query = names[change]
        checkRole(change, claimed)
        if (behaviour === 'fault') throw new SoapFault('Receiver', 'Internal Server Error')
        return soapReply(message, respond(message, claimed, setting, asked))
      }),
  }
}

/** Makes a change, if it is what the assertion is about. Throws RegistryProblem, SoapFault, and Error for what is no such change. */
export function applyChange(change: Change, registry: WritableRegistry, message: Message, claimed: Claimed): void {
  if (change === 'delete') {
    const ids = readRemoval(message.payload)
    checkRemoval(registry.holdings, ids, claimed)
    registry.remove(ids)
    return
  }
  const submission = readSubmission(message.payload)
  checkClaims(submission, claimed, rules[change])
  registry[change](submission)
}

const generic = { code: 'XDSRegistryError', text: 'The registry does not take this' }

function refusal(asked: Asked, issues: NonNullable<Setting['issues']>, severity: RegistryIssue['severity']): string {
  asked.outcome = 'refused'
  return registryResponse('Failure', spoken(issues, severity))
}

function spoken(issues: NonNullable<Setting['issues']>, severity: RegistryIssue['severity']): readonly RegistryIssue[] {
  return issues.map((issue) => ({ severity, ...issue }))
}

/** Whether a role may change a registry so, for such a purpose. */
export function mayChange(change: Change, role: string, purpose: string): boolean {
  const { professional, system } = rules[change]
  return (professionals.has(role) ? professional : systems.has(role) ? system : []).includes(purpose)
}

/** Throws SoapFault for who may not change a registry, or says that they mean something else. */
export function checkRole(change: Change, { role, purpose, action }: Claimed): void {
  if (!mayChange(change, role, purpose)) {
    throw securityFault('FailedAuthentication', 'This role has not the rights to access the service', 'PFA14')
  }
  if (!rules[change].says.includes(action))
    throw securityFault('FailedAuthentication', 'The assertion is for another action')
}

/** What is submitted must be what the assertion is about. Throws SoapFault. */
function checkClaims({ entries, submissionSets, associations }: Holdings, claimed: Claimed, rule: Rule): void {
  // The registry sees to it that everything in a submission is about one patient.
  requireAbout(submissionSets, claimed)
  const { documentTypes, action } = claimed
  if (documentTypes !== undefined && entries.some((entry) => !documentTypes.includes(typeOf(entry)))) {
    throw securityFault('FailedAuthentication', 'A document is of a type the assertion does not name')
  }
  // A replacement is an action of updating, by the rule for tokens; the other reading is CREATE (ini.md §2.4).
  const replaces = associations.some(({ type }) => type === associationType.replaces)
  if (rule.says.includes('CREATE') && action !== 'CREATE' && !replaces) {
    throw securityFault('FailedAuthentication', 'A new document is an action of creating')
  }
}

function checkRemoval({ entries, submissionSets, folders }: Holdings, ids: readonly string[], claimed: Claimed): void {
  const named = new Set(ids)
  requireAbout(
    [...entries, ...submissionSets, ...folders].filter(({ entryUuid }) => named.has(entryUuid)),
    claimed,
  )
}

function requireAbout(objects: readonly Pick<Entry, 'patient'>[], { patient }: Claimed): void {
  if (objects.some((object) => cx(object.patient) !== patient)) {
    throw securityFault('FailedAuthentication', 'The assertion is about another patient')
  }
}

function typeOf({ typeCode }: Entry): string {
  return `${typeCode.code}^^${typeCode.scheme}`
}

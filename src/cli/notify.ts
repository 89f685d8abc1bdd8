import { loinc } from '../../contracts/affinity-domain/document-types.ts'
import { organizationHome } from '../../contracts/affinity-domain/organizations.ts'
import type { HomeCommunityId } from '../core/model/identifiers.ts'
import type { PatientId } from '../core/model/patient.ts'
import { nationalPaths } from '../national.ts'
import { formatCx } from '../wire/hl7/cx.ts'
import type { NotificationMessage } from '../wire/ini/notification.ts'
import { encodeNotifyConsent, notifyConsent } from '../wire/ini/notify-consent.ts'
import { encodeNotifyHiding, notifyHiding } from '../wire/ini/notify-hiding.ts'
import { encodeNotifyRetrieve, notifyRetrieve } from '../wire/ini/notify-retrieve.ts'
import { encodeNotifySubmitObjects, notifySubmitObjects } from '../wire/ini/notify-submit-objects.ts'
import { commandOf, instantOf, needed, verbOf } from './arguments.ts'
import { professional } from './assertion.ts'
import { callerOf, callerOptions } from './caller.ts'
import { CliError } from './exit.ts'
import { momentOf, typeCodeOf } from './new-document.ts'
import { typedPatient } from './patient.ts'
import { type Step, shown } from './step.ts'
import { noticeAnswer } from './told.ts'

const options = {
  ...callerOptions,
  document: { type: 'string' },
  repository: { type: 'string' },
  source: { type: 'string' },
  home: { type: 'string' },
  at: { type: 'string' },
  type: { type: 'string' },
  requestor: { type: 'string' },
  role: { type: 'string' },
  purpose: { type: 'string', default: 'TREATMENT' },
  locality: { type: 'string', default: '050' },
  give: { type: 'string', multiple: true, default: [] as string[] },
  withdraw: { type: 'string', multiple: true, default: [] as string[] },
} as const

const parsed = (args: readonly string[]) => commandOf(args, options)
type Values = ReturnType<typeof parsed>['values']

/** A notification: where it goes, its message, and what of it is shown. */
export interface Notice {
  readonly path: string
  readonly message: NotificationMessage
  readonly body: string
  readonly sent: Step['sent']
}

/** Makes each notification of what was said. */
export const notices: Readonly<
  Record<'submit' | 'retrieve' | 'hiding' | 'consent', (patientId: PatientId, values: Values) => Notice>
> = {
  submit(patientId, values) {
    const { document: uniqueId, repository: repositoryUniqueId } = located(values)
    const home = homeOf(values.home ?? '090')
    return {
      path: nationalPaths.submitted,
      message: notifySubmitObjects,
      body: encodeNotifySubmitObjects({ patientId, home, repositoryUniqueId, uniqueId }),
      sent: { home, repository: repositoryUniqueId, document: uniqueId, patient: formatCx(patientId) },
    }
  },
  retrieve(patientId, values) {
    const { document: uniqueId, repository: repositoryUniqueId } = located(values)
    const requestor = values.requestor === undefined ? professional : formatCx(typedPatient(values.requestor))
    const { role: requestorRole = 'AAS', purpose: purposeOfUse, locality, type } = values
    return {
      path: nationalPaths.retrieved,
      message: notifyRetrieve,
      body: encodeNotifyRetrieve({
        ...{ patientId, repositoryUniqueId, uniqueId, requestor, requestorRole, purposeOfUse, locality },
        ...(type === undefined ? {} : { typeCode: { code: typeCodeOf(type).code, scheme: loinc } }),
        ...(values.home === undefined ? {} : { home: homeOf(values.home) }),
      }),
      sent: {
        ...{ repository: repositoryUniqueId, document: uniqueId, patient: formatCx(patientId) },
        by: `${requestor}, ${requestorRole}, ${purposeOfUse}, ${locality}`,
      },
    }
  },
  hiding(patientId, values) {
    const uniqueId = needed('document', values.document)
    const since = `${momentOf(instantOf(values.at))}+0000`
    const source = values.source === undefined ? {} : { sourceUniqueId: values.source }
    return {
      path: nationalPaths.hidden,
      message: notifyHiding,
      body: encodeNotifyHiding({ patientId, uniqueId, since, ...source }),
      sent: {
        ...{ document: uniqueId, patient: formatCx(patientId), since },
        ...(values.source === undefined ? {} : { 'because of': values.source }),
      },
    }
  },
  consent(patientId, values) {
    const told = (name: string, given: boolean) => ({ name, given, date: new Date().toISOString().slice(0, 10) })
    const consents = [
      ...values.give.map((name) => told(name, true)),
      ...values.withdraw.map((name) => told(name, false)),
    ]
    if (consents.length === 0) throw new CliError('usage', '--give or --withdraw is needed, such as --give C1')
    return {
      path: nationalPaths.consents,
      message: notifyConsent,
      body: encodeNotifyConsent({
        ...{ patientId, consents, organization: '090', operatorLocality: '090202', operator: professional },
        ...{ operatorRole: values.role ?? 'OGC', requestor: formatCx(patientId), disclosure: '1' },
      }),
      sent: { given: values.give, withdrawn: values.withdraw, patient: formatCx(patientId) },
    }
  },
}

/** `notify`: tells a gateway what INI tells a region, without an assertion (ini.md §7.2). Throws CliError. */
export async function notify(args: readonly string[]): Promise<number> {
  const { values, positionals } = parsed(args)
  const kind = verbOf('notify', positionals, ['submit', 'retrieve', 'hiding', 'consent'])
  await using caller = callerOf(values, values.as)
  const { path, message, body, sent } = notices[kind](caller.patient, values)
  const exchange = await caller.tell(path, message.action, body)
  return await shown([{ what: message.name, exchange, sent, told: noticeAnswer(exchange, message.name) }], values)
}

function located(values: Values) {
  return { document: needed('document', values.document), repository: needed('repository', values.repository) }
}

/** The home of the organization of that code. Throws CliError. */
export function homeOf(code: string): HomeCommunityId {
  const home = organizationHome(code)
  if (home === undefined) throw new CliError('usage', '--home must be the code of an organization, such as 090')
  return home
}

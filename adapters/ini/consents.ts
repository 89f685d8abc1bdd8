import type { AdapterTools } from '../../src/config/adapter.ts'
import type { AuthorizedCall } from '../../src/core/model/call.ts'
import type { ConsentSet, ConsentState } from '../../src/core/model/consents.ts'
import type { PatientId } from '../../src/core/model/patient.ts'
import type { ConsentRegister, ConsentSource } from '../../src/core/ports.ts'
import { consentQuery, decodeConsentQueryResponse, encodeConsentQuery } from '../../src/wire/ini/consent-query.ts'
import { decodeConsentSetResponse, encodeConsentSet, registerConsentSet } from '../../src/wire/ini/consent-set.ts'
import { askConsentService, type ConsentManner, type ConsentTools } from './consent-exchange.ts'
import type { IniOptions } from './options.ts'

/** Where INI's consents are, and how they are asked for. */
export interface ConsentAccess extends ConsentManner, Pick<IniOptions, 'consentsPatient'> {
  readonly url: string
}

/**
 * The consents INI keeps, asked for under the patient's identifier in force; without addressing, which INI's consent services
 * do not take (ini.md §1.4, #1974). No public source tells what INI answers about somebody it does not know: any failure is
 * one. The errors name nobody.
 */
export function iniConsents(access: ConsentAccess, tools: ConsentTools): ConsentSource {
  return {
    async consents({ active }, call) {
      const { consents } = await stateOf(active, call, access, tools)
      return consents
    },
  }
}

/** The same as what may be set, too: once, in the name of our caller. Rejects as the port says. */
export function iniConsentRegister(
  access: ConsentAccess & { readonly setUrl: string } & Pick<IniOptions, 'consentsManaged' | 'consentsResource'>,
  tools: ConsentTools & Pick<AdapterTools, 'homeOf'>,
): ConsentRegister {
  const { setUrl, consentsManaged, consentsResource, consentsPatient } = access
  return {
    ...(consentsManaged === undefined ? {} : { managed: consentsManaged }),
    state: (patientId, call) => stateOf(patientId, call, access, tools),
    register: (set, call) =>
      askConsentService(
        {
          url: setUrl,
          message: registerConsentSet,
          encode: () => encodeConsentSet(set, consentsPatient),
          call,
          does: 'UPDATE',
          about: consentsResource === 'requestor' ? resourceOf(set) : set.patientId,
          failure: 'INI did not set the consents of a patient',
          read: ({ tree, body }) => decodeConsentSetResponse(tree, body, tools.homeOf),
        },
        tools,
        access,
      ),
  }
}

/** Parents and guardians are named where the assertion names the patient (Framework, table 33: #2120, #3087). */
function resourceOf({ operatorRole, requestor, patientId }: ConsentSet): PatientId {
  return operatorRole === 'GEN' || operatorRole === 'TUT' ? requestor : patientId
}

function stateOf(
  patientId: PatientId,
  call: AuthorizedCall,
  access: ConsentAccess,
  tools: ConsentTools,
): Promise<ConsentState> {
  return askConsentService(
    {
      url: access.url,
      message: consentQuery,
      encode: () => encodeConsentQuery(patientId, access.consentsPatient),
      call,
      about: patientId,
      failure: 'INI did not tell the consents of a patient',
      read: ({ tree, body }) => decodeConsentQueryResponse(tree, body, patientId),
    },
    tools,
    access,
  )
}

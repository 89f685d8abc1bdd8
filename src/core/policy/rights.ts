import type { Assertion } from '../model/call.ts'
import { type AccessRow, ofIndexTransfer, type Service } from './access-table.ts'
import { denied } from './denied.ts'

/** How strictly claims are taken that a patient is in the asker's care. */
export type CareRule = 'ignored' | 'not-denied' | 'claimed'

/**
 * The first of the services that a row of the table grants to the claim. Throws `access-denied`, about the role when no row
 * has it for its purpose.
 */
export function grantedService<S extends Service>(
  services: readonly S[],
  assertion: Assertion,
  table: readonly AccessRow[],
  care: CareRule,
): S {
  const { role, purposeOfUse, action, indexTransferId } = assertion
  const fitting = services.flatMap((service) =>
    table
      .filter((row) => row.service === service && row.roles.has(role) && row.purposes.has(purposeOfUse))
      .map((row) => ({ ...row, service })),
  )
  if (fitting.length === 0) throw denied('role', 'The role has no right to this service for this purpose of use')
  const granted = fitting.find(({ actions }) => actions.has(action ?? 'READ'))
  if (granted === undefined) {
    const reading = fitting.every(({ actions }) => actions.has('READ') && actions.size === 1)
    throw denied('action', reading ? 'The assertion is not for reading' : 'The assertion is not for this action')
  }
  if (granted.inCare?.has(purposeOfUse) && !isInCare(assertion, care)) {
    throw denied('role', 'The patient is not in the care of who asks')
  }
  if (ofIndexTransfer.has(granted.service) && indexTransferId === undefined) {
    throw denied('index-transfer', 'The assertion does not name the index transfer')
  }
  return granted.service
}

function isInCare({ inCare }: Assertion, care: CareRule): boolean {
  return care === 'ignored' || inCare === true || (care === 'not-denied' && inCare === undefined)
}

import { GatewayError } from '../core/errors.ts'
import { authorities, isTeamCard, type PatientId, patientId } from '../core/model/patient.ts'
import { parseCx } from '../wire/hl7/cx.ts'
import { CliError } from './exit.ts'

/**
 * A patient as a person types one: a codice fiscale, STP or ENI code or TEAM card number by itself, or any identifier as
 * `ID^^^&OID&ISO`. Only letter case and outer blanks are forgiven. Throws CliError.
 */
export function typedPatient(text: string): PatientId {
  const typed = text.trim()
  const cx = typed.includes('^') ? parseCx(typed) : undefined
  if (typed.includes('^') && cx === undefined)
    throw new CliError('usage', 'a patient with ^ must have the form ID^^^&OID&ISO')
  const value = cx?.value ?? typed.toUpperCase()
  try {
    return patientId(value, cx?.authority ?? authorityOf(value))
  } catch (error) {
    if (error instanceof GatewayError) throw new CliError('usage', error.message)
    throw error
  }
}

function authorityOf(value: string) {
  if (value.startsWith('STP')) return authorities.stp
  if (value.startsWith('ENI')) return authorities.eni
  return isTeamCard(value) ? authorities.teamCard : authorities.codiceFiscale
}

import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../../src/core/errors.ts'
import { oid } from '../../../../src/core/model/identifiers.ts'
import {
  authorities,
  codiceFiscaleCheckCharacter,
  isCodiceFiscale,
  isNumericCodiceFiscale,
  isPatient,
  patientId,
  samePatientId,
} from '../../../../src/core/model/patient.ts'

const { codiceFiscale, stp, eni, teamCard, teamPersonal, ana } = authorities
const regionalStp = oid('2.16.840.1.113883.2.9.2.90.4.1.1')

function faultOf(value: string, authority = codiceFiscale): GatewayError {
  try {
    patientId(value, authority)
  } catch (error) {
    if (error instanceof GatewayError) return error
  }
  throw new Error(`${value} was accepted`)
}

describe('a codice fiscale', () => {
  // Published examples of the algorithm; nobody's codes.
  it.each(['RSSMRA85T10A562S', 'MRTMTT25D09F205Z', 'PROVAX80A01H501M'])('%s has the right check character', (code) => {
    expect(codiceFiscaleCheckCharacter(code)).toBe(code.charAt(15))
    expect(isCodiceFiscale(code)).toBe(true)
    expect(patientId(code, codiceFiscale)).toEqual({ value: code, authority: codiceFiscale })
  })

  it.each([
    ['lower case', 'rssmra85t10a562s'],
    ['one lower-case letter', 'RSSMRA85T10A562s'],
    ['17 characters', 'RSSMRA85T10A562SX'],
    ['15 characters', 'RSSMRA85T10A562'],
    ['a wrong check character', 'RSSMRA85T10A562T'],
    ['a letter no omocodia uses', 'RSSMRA85T10A56AS'],
    ['a digit among the letters', 'RSSMR085T10A562S'],
    ['a blank before it', ' RSSMRA85T10A562S'],
    ['a line break behind it', 'RSSMRA85T10A562S\n'],
    ['letters that only look right', 'RSSМRA85T10A562S'],
    ['nothing', ''],
  ])('is refused with %s', (_what, code) => {
    const error = faultOf(code)
    expect(error.code).toBe('parameter-invalid')
    if (code !== '') expect(error.message).not.toContain(code.trim())
  })

  it.each(Array.from({ length: 26 }, (_, index) => String.fromCharCode(65 + index)))(
    'ends with %s only when that is its check character',
    (letter) => expect(isCodiceFiscale(`RSSMRA85T10A562${letter}`)).toBe(letter === 'S'),
  )

  it('with omocodia is valid and another person than the one without', () => {
    const plain = patientId('RSSMRA85T10A562S', codiceFiscale)
    const omocode = patientId('RSSMRA85T10A56NH', codiceFiscale)
    expect(samePatientId(plain, omocode)).toBe(false)
    expect(isPatient({ identifiers: [plain], active: plain }, omocode)).toBe(false)
  })

  it.each(['01386030488', '80078750587', '12345678903'])('in numeric form is valid: %s', (code) => {
    expect(patientId(code, codiceFiscale).value).toBe(code)
  })

  it('in numeric form has exactly one right last digit', () => {
    const valid = [...'0123456789'].filter((digit) => isNumericCodiceFiscale(`0138603048${digit}`))
    expect(valid).toEqual(['8'])
  })

  it.each(['0138603048', '013860304888', '0138603048A', '٠1386030488'])('in numeric form refuses %s', (code) => {
    expect(faultOf(code).code).toBe('parameter-invalid')
  })
})

describe('the other identifiers of people', () => {
  it.each([
    ['STP1234567890123', stp],
    ['STP1234567890123', regionalStp],
    ['ENI1234567890123', eni],
    ['80380000900000000001', teamCard],
    ['AB12', teamPersonal],
    ['anything', ana],
    ['x'.repeat(64), oid('1.2.3')],
  ])('%s is accepted under %s', (value, authority) => {
    expect(patientId(value, authority)).toEqual({ value, authority })
  })

  it.each([
    ['STP123456789012', stp],
    ['STP12345678901234', stp],
    ['stp1234567890123', stp],
    ['ENI1234567890123', stp],
    ['ENI1234567890123', regionalStp],
    ['RSSMRA85T10A562S', stp],
    ['STP1234567890123', eni],
    ['ENI12345678901', eni],
    ['8038000090000000000', teamCard],
    ['8038000090000000000X', teamCard],
    ['ab12', teamPersonal],
    ['X'.repeat(21), teamPersonal],
    ['', ana],
    ['x'.repeat(65), ana],
  ])('%s is refused under %s', (value, authority) => {
    expect(faultOf(value, authority).code).toBe('parameter-invalid')
  })

  it.each(['STP1234567890123', 'ENI1234567890123'])(
    '%s under the authority of codici fiscali is named as such',
    (value) => {
      const error = faultOf(value)
      expect(error.code).toBe('parameter-invalid')
      expect(error.message).toContain('under the authority of codici fiscali')
    },
  )

  it('are different people under different authorities', () => {
    const value = 'STP1234567890123'
    expect(samePatientId(patientId(value, stp), patientId(value, regionalStp))).toBe(false)
  })
})

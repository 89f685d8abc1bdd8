import type { PatientId } from '../../core/model/patient.ts'
import type { FoundPerson } from '../../core/model/patient-discovery.ts'
import type { Json } from './types.ts'
import { writeAssigned, writeTime } from './values.ts'

/** The Patient of somebody who was found (ITI-78): the identifiers and demographics that the asker may know. */
export function encodePatient({ demographics, otherIds, patientId }: FoundPerson, id: string): Json {
  const { birthDate, gender, names = [] } = demographics ?? {}
  return {
    resourceType: 'Patient',
    id,
    identifier: [{ use: 'official', ...writeAssigned(patientId) }, ...otherIds.map(writeAssigned)],
    active: true,
    ...(names.length === 0
      ? {}
      : {
          name: names.map(({ family, given }) => ({
            ...(family === undefined ? {} : { family }),
            ...(given.length === 0 ? {} : { given }),
          })),
        }),
    ...(gender === undefined ? {} : { gender }),
    ...(birthDate === undefined ? {} : { birthDate: writeTime(birthDate) }),
  }
}

/** The answer of `$ihe-pix` (PIXm, ITI-83): identifiers, and the Patient they are of. */
export function encodeCorresponding(identifiers: readonly PatientId[], reference: string): Json {
  return {
    resourceType: 'Parameters',
    parameter: [
      ...identifiers.map((id) => ({ name: 'targetIdentifier', valueIdentifier: writeAssigned(id) })),
      { name: 'targetId', valueReference: { reference } },
    ],
  }
}

/** A CDA of a person who cannot exist: no municipality has a code that begins with X. */
export function clinicalDocument(body: string, title = '<title>Referto di prova</title>'): Buffer {
  return Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <id root="2.16.840.1.113883.2.9.2.90.4.4" extension="PROVA.1"/>
  <code code="11502-2" codeSystem="2.16.840.1.113883.6.1" displayName="Referto di laboratorio"/>
  ${title}
  <effectiveTime value="20260417093000+0200"/>
  <languageCode code="it-IT"/>
  <recordTarget><patientRole>
    <id root="2.16.840.1.113883.2.9.4.3.2" extension="PRVMRA80A41X999Z"/>
    <addr><streetAddressLine>Via Inesistente 1</streetAddressLine></addr>
    <patient>
      <name><family>Prova</family><given>Maria</given></name>
      <birthTime value="19800101"/>
    </patient>
  </patientRole></recordTarget>
  <author><assignedAuthor><assignedPerson>
    <name><prefix>Dott.</prefix><given>Anna</given><family>Neri</family></name>
  </assignedPerson></assignedAuthor></author>
  <custodian><assignedCustodian><representedCustodianOrganization>
    <name>Azienda Sanitaria Esempio Centro</name>
  </representedCustodianOrganization></assignedCustodian></custodian>
  <component>${body}</component>
</ClinicalDocument>
`)
}

/** A structured body of sections. */
export function structured(...sections: readonly string[]): string {
  return `<structuredBody>${sections.map((section) => `<component>${section}</component>`).join('')}</structuredBody>`
}

/** A section with this narrative. */
export function section(narrative: string, title = 'Esami'): string {
  return `<section><title>${title}</title><text>${narrative}</text></section>`
}

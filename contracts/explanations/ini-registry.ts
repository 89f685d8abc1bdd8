import { consequences } from './consequences.ts'
import { type Explanation, explained } from './explanation.ts'

/** What INI or a region of assistance says of metadata, queries, documents and of the region behind INI. */
export const iniRegistry: readonly Explanation[] = [
  ...explained(
    {
      ...{
        system: 'ini',
        whose: 'caller',
        retry: 'after-mending',
        ...consequences.notPublished,
        source: 'ini.md §6.1',
      },
      next: 'Have the producer mend the metadata as the affinity domain wants them and send the document again.',
    },
    [
      {
        code: 'R50',
        title: 'Wrong value of DocumentEntry.healthcareFacilityCode',
        meaning: 'The type of the facility is not one of the affinity domain, or its display is not the domain’s.',
        source: 'ini.md §6.1, §6.3 no. 9; #802',
      },
      {
        code: 'R56',
        title: 'Wrong format data of display name for DocumentEntry.typeCode (Document1)',
        meaning:
          'The display of the document type is not word for word the affinity domain’s; the region of assistance checks.',
        source: 'ini.md §4, §6.1; #1373, #1147',
      },
      {
        code: 'R80',
        title: 'Wrong value of DocumentEntry.uniqueId',
        meaning:
          'The document’s id is not in the arc it must be in; documents of Sistema TS use 2.16.840.1.113883.2.9.4.3.8.',
        source: 'ini.md §3.4, §6.1; #1827',
      },
      {
        code: 'R153',
        title: 'Missing association with SubmissionSet',
        meaning: 'The entry is not linked to its submission set by a HasMember association.',
        whose: 'ours',
        source: 'ini.md §6.1, §6.3 no. 12; #2751',
      },
      {
        code: 'R166',
        title: 'Wrong value of referenceIdList',
        meaning:
          'The prescription’s number must be <NRE>^^^&2.16.840.1.113883.2.9.4.3.8&ISO^urn:ihe:iti:xds:2013:order.',
        source: 'ini.md §6.1, §6.3 no. 11; #2519, #1799',
      },
      {
        code: 'R221',
        title: 'The version number included in the update request did not match the existing object',
        meaning: 'The update was made from a version that is no longer the latest.',
        next: 'Look the document up again and make the update from its current version.',
        ...consequences.notChanged,
        source: 'ini.md §6.1, §6.3 no. 12; #1074',
      },
      {
        code: 'R227',
        title:
          'Mismatch between the value of XDSDocumentEntry.confidentialityCode and XDSDocumentEntry.eventCodeList, or between XDSDocumentEntry.eventCodeList and Diagnosis code for the prescription.',
        meaning:
          'Confidentiality V demands the event code P99 or P00; of a prescription the diagnosis must agree as well.',
        source: 'ini.md §4.4, §6.1, §6.3 no. 10; #2521, #3043, #1719',
      },
      {
        code: 'R<n>',
        title: 'Metadata',
        meaning: 'A registry refused the metadata by a rule of the affinity domain that no public source explains.',
        whose: 'unknown',
        next: 'Read the words beside the code, look it up in table 54 of the Framework specification, mend, send again.',
        source: 'ini.md §6.1, §6.2 no. 4; #1373',
      },
    ],
  ),
  ...explained(
    {
      ...{ system: 'ini', whose: 'unknown', retry: 'never', ...consequences.nothingMissing, source: 'ini.md §6.1' },
      next: 'Nothing: our own registry answers.',
    },
    [
      {
        code: 'R220',
        title: 'The requestor is RDA for the patient',
        meaning: 'We assist the patient ourselves, so that INI did nothing; it says so as a failure with a warning.',
        next: 'Nothing: what was published is in our own registry already.',
        source: 'ini.md §6.1, §6.2 no. 2; #1975, #1976, #802, #2505',
      },
      {
        code: 'R224',
        title: 'DocumentEntry already saved in a previous communication',
        meaning: 'The document was indexed by an earlier attempt whose answer was lost.',
        next: 'Nothing: it counts as success.',
        ...consequences.nothingToDo,
        source: 'ini.md §6.1, §6.2 no. 3; #2088, #2716',
      },
      {
        code: 'QND1',
        title: 'No results from the query',
        meaning: 'The search found nothing; this is an answer and no error.',
        next: 'Nothing.',
        ...consequences.nothingFound,
      },
      {
        code: 'QND2',
        title: 'The requestor is RDA for the patient',
        meaning: 'We assist the patient ourselves, so that INI does not search.',
        source: 'ini.md §6.1, §6.2 no. 2; #2474, #1834',
      },
      {
        code: 'RTW1',
        title: 'Retrieve from the own region',
        meaning: 'The document lies with us and we assist its patient, so that INI does not fetch it.',
        next: 'Nothing: it is read from our own repository.',
        source: 'ini.md §6.1; #2474',
      },
    ],
  ),
  ...explained(
    { system: 'ini', whose: 'ini', retry: 'after-mending', ...consequences.documentLater, next: '', source: '' },
    [
      {
        code: 'RTW2',
        title: 'Retrieve without a search',
        meaning: 'INI knows of no successful search of ours for the document within the last 20 minutes.',
        whose: 'caller',
        next: 'Search for the patient’s documents again through INI and retrieve the document afterwards.',
        ...consequences.searchFirst,
        source: 'ini.md §6.1, §7.5 no. 8; #2474, FSE/188',
      },
      {
        code: 'RtRE3',
        title: 'The region of assistance cannot be notified of the retrieval',
        meaning:
          'INI could not tell the patient’s region that the document was retrieved; this code is not in the specification.',
        next: 'It is tried again by itself; if it persists, report it to the service desk of Sogei.',
        retry: 'automatic',
        source: 'ini.md §6.1, §6.3 no. 3; #2327',
      },
      {
        code: 'EDS3',
        title: 'Document id not found',
        meaning: 'The data ecosystem (EDS) behind INI does not know the document’s id.',
        whose: 'unknown',
        next: 'Check whether the document was published and the id is the published one.',
        ...consequences.documentMissing,
        source: 'ini.md §6.1; #2582',
      },
    ],
  ),
  ...explained(
    { system: 'ini', whose: 'region', retry: 'automatic', ...consequences.regionSilent, next: '', source: '' },
    [
      {
        code: 'CRF1',
        title: 'It is not possible to communicate with the RDA.',
        meaning:
          'INI could not reach the patient’s region; whether a communication was carried out there is not known.',
        next: 'A communication is tried again with the same identifiers, and R224 then means success; a search is asked anew.',
        source: 'ini.md §6.1, §6.2 no. 3; #2520, #2716, #2853',
      },
      {
        code: 'CRF2',
        title: 'RDA generated an internal error.',
        meaning: 'The patient’s region answered INI with a fault or with a message that is not valid.',
        next: 'Tell the region, with time and message id; its own answer is known to Sogei only. Then retry.',
        retry: 'after-mending',
        source: 'ini.md §6.1, §6.2 no. 4, §6.3 no. 1; #706, #862, #1802, #2323',
      },
    ],
  ),
  ...explained(
    { system: 'ini', whose: 'ini', retry: 'after-mending', ...consequences.indexIncomplete, next: '', source: '' },
    [
      {
        code: 'Internal Error <n>',
        title: 'Internal Error <n>',
        meaning: 'INI failed inside; the number tells Sogei where, and one such error has hidden wrong metadata (R50).',
        next: 'Check the metadata against the affinity domain, then report number, time and message id to Sogei.',
        source: 'ini.md §6.1, §6.3 no. 19; #802, #1908, #2241, #2398, #2664',
      },
      {
        code: 'Internal Error init service',
        title: 'Internal Error init service',
        meaning: 'A service of INI could not start its work.',
        next: 'Try again later; if it persists, report time and message id to Sogei.',
        source: 'ini.md §6.1, §6.3 no. 19; #1324, #1449',
      },
      {
        code: 'Unavailable $XDSDocumentUniqueId',
        title: 'Unavailable $XDSDocumentUniqueId',
        meaning: 'INI does not know, or cannot use, the document’s unique id.',
        whose: 'unknown',
        next: 'Check that the document was communicated and its id is the communicated one, then ask Sogei.',
        ...consequences.documentMissing,
        source: 'ini.md §6.1; #803',
      },
      {
        code: 'RPDA non individuata per servizio trasferimento indice',
        title: 'RPDA non individuata per servizio trasferimento indice',
        meaning: 'INI does not know the former region of assistance whose index is to be transferred.',
        next: 'Check the patient’s identifier and region of assistance, then ask Sogei which region INI has on file.',
        ...consequences.incomplete,
        source: 'ini.md §6.1, §7.1; #2479',
      },
    ],
  ),
]

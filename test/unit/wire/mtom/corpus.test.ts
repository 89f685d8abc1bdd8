import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { MtomError } from '../../../../src/wire/mtom/mtom-error.ts'
import { readPackage } from '../../../../src/wire/mtom/package.ts'

const corpus = join(import.meta.dirname, '../../../../../shared/corpus')
const present = existsSync(corpus)
const reason = present ? '' : ' (skipped: ../shared/corpus is absent)'

/** What is in a sample: its attachments' lengths and how many of them nothing refers to, or why it is refused. */
type Told = { readonly lengths: readonly number[]; readonly unreferenced: number } | string

/** Some samples are stored with their HTTP head; of the others the boundary is all that is known. */
function told(name: string): Told {
  const file = readFileSync(join(corpus, 'ihe', name))
  const text = file.toString('latin1')
  const head = /^HTTP\/[\s\S]*?\r?\n\r?\n/.exec(text)?.[0] ?? ''
  const contentType = /^Content-Type: (.*?)\r?$/m.exec(head)?.[1]
  const boundary = /^--(\S+)/m.exec(text.slice(head.length))?.[1]
  try {
    const { attachments, unreferenced } = readPackage(
      contentType ?? `multipart/related; type="application/xop+xml"; boundary="${boundary}"`,
      file.subarray(head.length),
    )
    return { lengths: attachments.map(({ bytes }) => bytes.length), unreferenced: unreferenced.length }
  } catch (error) {
    if (error instanceof MtomError) return error.reason
    throw error
  }
}

const alone: Told = { lengths: [], unreferenced: 0 }

const samples: readonly [string, Told][] = [
  ['ITI-41/gematik-epa__provideChildsRecord-response.xml', alone],
  ['ITI-41/mtom/gematik-epa__Requests-provideandregister.xop', { lengths: [1699], unreferenced: 0 }],
  ['ITI-41/mtom/gematik-epa__Responses-provideandregister-resp.xop', alone],
  ['ITI-41/mtom/openhim-xds__pnr_e2e_mtom.xml', { lengths: [34], unreferenced: 0 }],
  ['ITI-41/openhim-xds__pnrResponse_wSOAP.xml', { lengths: [0], unreferenced: 1 }],
  ['ITI-43/mtom/gematik-epa__Requests-retrievedocument-resp.xop', alone],
  ['ITI-43/mtom/gematik-epa__Requests-retrievedocument.xop', alone],
  [
    'ITI-43/mtom/gematik-epa__Responses-retrievedocument-resp.xop',
    { lengths: [58946, 146979, 15710, 1717, 58946, 58946, 146979, 15710, 1717, 58946], unreferenced: 0 },
  ],
  ['ITI-43/openhim-xds__retrieveResponse_wSOAP.xml', { lengths: [16], unreferenced: 0 }],
  ['ITI-86/mtom/gematik-epa__Requests-removedocument.xop', alone],
  ['ITI-86/mtom/gematik-epa__Responses-removedocument-resp.xop', alone],
  // These have a sentence where the root should be XML.
  ['ITI-41/mtom/openhim-xds__PnRBasicMtom.xml', 'root-xml'],
  ['ITI-41/mtom/openhim-xds__PnRModifiedMtom.xml', 'root-xml'],
  // An editor of XML has broken the lines of this one's headers.
  ['ITI-41/openhim-xds__pnrResponse_e2e.xml', 'content-id'],
]

describe.skipIf(!present)(`the corpus's MTOM messages${reason}`, () => {
  it.each(samples)('%s is read, or refused, as it should be', (name, expected) => {
    expect(told(name)).toEqual(expected)
  })
})

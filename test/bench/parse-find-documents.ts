import { SaxesParser } from 'saxes'
import { decodeQueryResponse } from '../../src/wire/ebrim/query-response.ts'
import { findDocumentsAnswer } from './find-documents-answer.ts'
import { interleaved, type Measurement, rssMb, seconds } from './measurement.ts'

/** MB/s of reading a FindDocuments answer into entries, against saxes merely emitting its events over the same bytes. */
export async function parseFindDocuments1000(): Promise<Measurement> {
  const bytes = findDocumentsAnswer(1000)
  const megabytes = bytes.length / 1e6
  const { value, floor } = await interleaved(
    9,
    async () => {
      let entries = 0
      const time = await seconds(async () => {
        const decoded = await decodeQueryResponse(bytes)
        entries = decoded.fault === undefined ? decoded.answer.entries.length : 0
      })
      if (entries !== 1000) throw new Error('The answer was not read whole')
      return megabytes / time
    },
    async () => megabytes / (await seconds(() => emitted(bytes))),
  )
  return {
    bench: 'parse-find-documents-1000',
    unit: 'MB/s',
    value,
    floor,
    floorIs: 'saxes (xmlns) emitting events over the same bytes, handlers empty',
    ratio: value / floor,
    rssMb: rssMb(),
  }
}

/** Bytes of heap that 1,000 decoded entries take, against the JSON text of the same entries. */
export async function parseMemory1000(): Promise<Measurement> {
  const { gc } = globalThis
  if (gc === undefined) throw new Error('Needs --expose-gc')
  const bytes = findDocumentsAnswer(1000)
  await decodeQueryResponse(bytes)
  const rounds = { value: [] as number[] }
  let json = 0
  for (let round = 0; round < 5; round++) {
    gc()
    const before = process.memoryUsage().heapUsed
    const decoded = await decodeQueryResponse(bytes)
    const after = process.memoryUsage().heapUsed
    rounds.value.push(after - before)
    if (decoded.fault === undefined) json = JSON.stringify(decoded.answer.entries).length
  }
  const value = Math.max(...rounds.value)
  return {
    bench: 'parse-memory-1000',
    unit: 'bytes of heap, garbage included',
    value,
    floor: json,
    floorIs: 'JSON text of the same entries',
    ratio: value / json,
    rssMb: rssMb(),
  }
}

function emitted(bytes: Buffer): void {
  const parser = new SaxesParser({ xmlns: true })
  parser.on('opentag', () => {})
  parser.on('closetag', () => {})
  parser.on('text', () => {})
  parser.write(bytes.toString('utf8')).close()
}

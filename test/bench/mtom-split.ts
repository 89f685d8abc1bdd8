import { createCipheriv } from 'node:crypto'
import { defaultPackageLimits, PackageReader } from '../../src/wire/mtom/package.ts'
import { writePackage } from '../../src/wire/mtom/write.ts'
import { interleaved, type Measurement, rssMb, seconds } from './measurement.ts'

const megabytes = 100
const chunkBytes = 65_536

/** MB/s of reading a package with one part of 100 MB that comes in chunks of 64 KiB, against looking for its boundary. */
export async function mtomSplit100mb(): Promise<Measurement> {
  const boundary = `MIME_${'5d3b1c5291f04a5b8a0e6f0f3a1d7c11'.repeat(2)}`
  const { contentType, chunks } = await packageInChunks(boundary)
  const delimiter = Buffer.from(`\r\n--${boundary}`)
  const read = async () => {
    const reader = new PackageReader(contentType, defaultPackageLimits)
    let bytes = 0
    const took = await seconds(() => {
      for (const chunk of chunks) {
        for (const event of reader.push(chunk)) if (event.kind === 'data') bytes += event.bytes.length
      }
      for (const event of reader.end()) if (event.kind === 'data') bytes += event.bytes.length
    })
    if (bytes !== megabytes * 1e6) throw new Error('The part was not read whole')
    return megabytes / took
  }
  const search = async () => {
    let found = 0
    const took = await seconds(() => {
      for (const chunk of chunks) if (chunk.indexOf(delimiter) >= 0) found++
    })
    if (found === 0) throw new Error('The boundary was not found')
    return megabytes / took
  }
  const { value, floor } = await interleaved(15, read, search)
  return {
    bench: 'mtom-split-100mb',
    unit: 'MB/s',
    value,
    floor,
    floorIs: 'indexOf of the boundary in the same chunks; the limit is a ratio of 0.5',
    ratio: value / floor,
    rssMb: rssMb(),
  }
}

async function packageInChunks(boundary: string) {
  const { contentType, body } = writePackage({
    boundary,
    rootId: 'root@crocevia',
    soap: '1.2',
    root: Buffer.from('<Envelope xmlns="http://www.w3.org/2003/05/soap-envelope"><Body/></Envelope>'),
    parts: [{ contentId: 'document@crocevia', contentType: 'application/pdf', chunks: noise(megabytes * 1e6) }],
  })
  const pieces: Uint8Array[] = []
  for await (const piece of body) pieces.push(piece)
  const whole = Buffer.concat(pieces)
  const chunks = Array.from({ length: Math.ceil(whole.length / chunkBytes) }, (_, index) =>
    whole.subarray(index * chunkBytes, (index + 1) * chunkBytes),
  )
  return { contentType, chunks }
}

/** So many bytes in which nothing repeats, as in a compressed file; the same ones every time. */
export function noise(length: number): Buffer {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16, 1), Buffer.alloc(16)).update(Buffer.alloc(length))
}

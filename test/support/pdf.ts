import { deflateSync } from 'node:zlib'

/** An object in PDF's own syntax, or a stream: its dictionary's entries but `/Length`, and its bytes as they stand. */
export type PdfObject = string | PdfStreamObject

export interface PdfStreamObject {
  readonly entries: string
  readonly data: Uint8Array
}

export interface Attachment {
  readonly name: string
  readonly bytes: Uint8Array
  /** Deflated by default. */
  readonly stored?: boolean
}

export interface PdfOptions {
  /** Where attachments hang: by default the catalog's name tree, its names in the root. */
  readonly in?: 'name-tree' | 'nested-name-tree' | 'annotations' | 'associated-files' | 'xfa-resources'
  /** Objects in an object stream and a cross-reference stream, as since PDF 1.5. */
  readonly compact?: boolean
  /** Further entries of the trailer. */
  readonly trailer?: string
}

/** A one-page PDF with these attachments. Its catalog is object 1. */
export function pdfWith(attachments: readonly Attachment[], options: PdfOptions = {}): Buffer {
  const objects = objectsWith(attachments, options.in ?? 'name-tree')
  return options.compact ? compactPdfOf(objects) : pdfOf(objects, options.trailer)
}

/** A PDF of these objects, numbered from 1, with a cross-reference table; the first is the catalog. */
export function pdfOf(objects: readonly PdfObject[], trailer = ''): Buffer {
  return updated(Buffer.from('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n', 'latin1'), numbered(objects), trailer)
}

/** A PDF with a further revision after it, in which these objects are new or replaced. */
export function updated(pdf: Buffer, objects: ReadonlyMap<number, PdfObject>, trailer = ''): Buffer {
  const parts = [pdf]
  let length = pdf.length
  let table = 'xref\n0 1\n0000000000 65535 f \n'
  for (const [number, object] of objects) {
    const part = Buffer.concat([Buffer.from(`${number} 0 obj\n`), spelled(object), Buffer.from('\nendobj\n')])
    table += `${number} 1\n${String(length).padStart(10, '0')} 00000 n \n`
    parts.push(part)
    length += part.length
  }
  const previous = startOfTable(pdf)
  const size = Math.max(0, ...objects.keys()) + 1
  const entries = `/Size ${size} /Root 1 0 R${previous === undefined ? '' : ` /Prev ${previous}`} ${trailer}`
  parts.push(Buffer.from(`${table}trailer\n<< ${entries} >>\nstartxref\n${length}\n%%EOF\n`))
  return Buffer.concat(parts)
}

/** As `pdfOf`, but all objects that are no streams stand in an object stream, found by a cross-reference stream. */
export function compactPdfOf(objects: readonly PdfObject[]): Buffer {
  const packed = [...numbered(objects)].filter((entry): entry is [number, string] => typeof entry[1] === 'string')
  const streams = [...numbered(objects)].filter(([, object]) => typeof object !== 'string')
  const container = objects.length + 1
  const parts: Buffer[] = [Buffer.from('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n', 'latin1')]
  const rows: number[][] = [[0, 0, 65_535]]
  let length = parts[0]?.length ?? 0
  for (const [number, object] of [...streams, [container, objectStream(packed)] as const]) {
    rows[number] = [1, length, 0]
    const part = Buffer.concat([Buffer.from(`${number} 0 obj\n`), spelled(object), Buffer.from('\nendobj\n')])
    parts.push(part)
    length += part.length
  }
  packed.forEach(([number], index) => {
    rows[number] = [2, container, index]
  })
  rows[container + 1] = [1, length, 0]
  const table = crossReferenceStream(rows)
  parts.push(
    Buffer.from(`${container + 1} 0 obj\n`),
    spelled(table),
    Buffer.from(`\nendobj\nstartxref\n${length}\n%%EOF\n`),
  )
  return Buffer.concat(parts)
}

/** A flate stream; deflated here unless what deflated to it is given. */
export function deflated(bytes: Uint8Array, entries = ''): PdfStreamObject {
  return { entries: `${entries} /Filter /FlateDecode`, data: deflateSync(bytes) }
}

/**
 * A PDF with a revision that holds a signature field; its byte range leaves out nothing but the signature's value, which
 * is zeros: no key has signed it.
 */
export function signed(pdf: Buffer, catalog: string): Buffer {
  const space = '0'.repeat(64)
  const blank = '[0 0000000000 0000000000 0000000000]'
  const first = pdf.length
  const whole = updated(
    pdf,
    new Map<number, PdfObject>([
      [1, catalog.replace(/>>\s*$/, '/AcroForm << /SigFlags 3 /Fields [900 0 R] >> >>')],
      [900, '<< /FT /Sig /T (Signature1) /V 901 0 R >>'],
      [
        901,
        `<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached /ByteRange ${blank} /Contents <${space}> >>`,
      ],
    ]),
  )
  const value = whole.indexOf(`<${space}>`, first)
  const after = value + space.length + 2
  const range = [value, after, whole.length - after].map((offset) => String(offset).padStart(10, '0')).join(' ')
  whole.write(`[0 ${range}]`, whole.indexOf(blank, first), 'latin1')
  return whole
}

/** What `pdfWith` puts together. */
export function objectsWith(attachments: readonly Attachment[], where: NonNullable<PdfOptions['in']>): PdfObject[] {
  const files = attachments.map((_, index) => 4 + index * 2)
  const names = attachments.map(({ name }, index) => `(${name}) ${files[index]} 0 R`)
  const references = files.map((file) => `${file} 0 R`).join(' ')
  const streams = attachments.flatMap(({ name, bytes, stored }, index): PdfObject[] => [
    `<< /Type /Filespec /F (${name}) /UF (${name}) /AFRelationship /Source /EF << /F ${5 + index * 2} 0 R >> >>`,
    stored
      ? { entries: '/Type /EmbeddedFile', data: bytes }
      : deflated(bytes, '/Type /EmbeddedFile /Subtype /text#2Fxml'),
  ])
  const next = 4 + attachments.length * 2
  const middle = Math.ceil(names.length / 2)
  const places: Record<NonNullable<PdfOptions['in']>, { catalog?: string; page?: string; further?: PdfObject[] }> = {
    'name-tree': { catalog: `/Names << /EmbeddedFiles << /Names [${names.join(' ')}] >> >>` },
    'nested-name-tree': {
      catalog: `/Names << /EmbeddedFiles ${next} 0 R >>`,
      further: [
        `<< /Kids [${next + 1} 0 R] >>`,
        `<< /Kids [${next + 2} 0 R ${next + 3} 0 R] /Limits [(a) (z)] >>`,
        `<< /Names [${names.slice(0, middle).join(' ')}] /Limits [(a) (m)] >>`,
        `<< /Names [${names.slice(middle).join(' ')}] /Limits [(n) (z)] >>`,
      ],
    },
    'associated-files': { catalog: `/AF [${references}]` },
    annotations: {
      page: `/Annots [${files.map((file) => `<< /Subtype /FileAttachment /Rect [0 0 9 9] /FS ${file} 0 R >>`).join(' ')}]`,
    },
    'xfa-resources': {
      catalog: `/Names << /XFAResources << /Names [${files.map((file) => `(datasets) ${file + 1} 0 R`).join(' ')}] >> >>`,
    },
  }
  const { catalog = '', page = '', further = [] } = places[where]
  return [
    `<< /Type /Catalog /Pages 2 0 R ${catalog} >>`,
    '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] ${page} >>`,
    ...streams,
    ...further,
  ]
}

function numbered(objects: readonly PdfObject[]): Map<number, PdfObject> {
  return new Map(objects.map((object, index) => [index + 1, object]))
}

function spelled(object: PdfObject): Buffer {
  if (typeof object === 'string') return Buffer.from(object, 'latin1')
  const { entries, data } = object
  const length = /\/Length\b/.test(entries) ? '' : `/Length ${data.length}`
  return Buffer.concat([
    Buffer.from(`<< ${length} ${entries} >>\nstream\n`, 'latin1'),
    data,
    Buffer.from('\nendstream'),
  ])
}

function startOfTable(pdf: Buffer): number | undefined {
  const at = pdf.lastIndexOf('startxref')
  return at < 0 ? undefined : Number.parseInt(pdf.toString('latin1', at + 'startxref'.length), 10)
}

function objectStream(objects: readonly (readonly [number, string])[]): PdfStreamObject {
  let offset = 0
  const index = objects.map(([number, text]) => {
    const entry = `${number} ${offset}`
    offset += text.length + 1
    return entry
  })
  const head = `${index.join(' ')}\n`
  const body = objects.map(([, text]) => text).join('\n')
  return deflated(Buffer.from(head + body, 'latin1'), `/Type /ObjStm /N ${objects.length} /First ${head.length}`)
}

/** With the predictor that producers commonly use: each row as its difference from the row above. */
function crossReferenceStream(rows: readonly number[][]): PdfStreamObject {
  const width = 7
  const table = Buffer.alloc(rows.length * width)
  rows.forEach(([kind = 0, second = 0, third = 0], number) => {
    table.writeUInt8(kind, number * width)
    table.writeUInt32BE(second, number * width + 1)
    table.writeUInt16BE(third, number * width + 5)
  })
  const predicted = Buffer.alloc(rows.length * (width + 1))
  for (let row = 0; row < rows.length; row++) {
    predicted.writeUInt8(2, row * (width + 1))
    for (let column = 0; column < width; column++) {
      const above = row === 0 ? 0 : (table[(row - 1) * width + column] ?? 0)
      predicted[row * (width + 1) + 1 + column] = (table[row * width + column] ?? 0) - above
    }
  }
  return deflated(
    predicted,
    `/Type /XRef /Size ${rows.length} /W [1 4 2] /Root 1 0 R /DecodeParms << /Predictor 12 /Columns ${width} >>`,
  )
}

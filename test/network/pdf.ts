/** A one-page PDF with a file injected in it, as the signed documents of the FSE have their CDA (ini.md §3.1). */
export function pdfWith(line: string, name: string, file: Buffer): Buffer {
  const page = Buffer.from(`BT /F1 11 Tf 56 780 Td (${line.replaceAll(/[\\()]/g, '\\$&')}) Tj ET`, 'latin1')
  const objects = [
    dictionary(`/Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles << /Names [(${name}) 6 0 R] >> >> /AF [6 0 R]`),
    dictionary('/Type /Pages /Kids [3 0 R] /Count 1'),
    dictionary(
      '/Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >>',
    ),
    stream('', page),
    dictionary('/Type /Font /Subtype /Type1 /BaseFont /Helvetica'),
    dictionary(`/Type /Filespec /F (${name}) /UF (${name}) /AFRelationship /Data /EF << /F 7 0 R /UF 7 0 R >>`),
    stream(`/Type /EmbeddedFile /Subtype /text#2Fxml /Params << /Size ${file.length} >>`, file),
  ]
  const parts = [Buffer.from('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n', 'latin1')]
  let length = parts[0]?.length ?? 0
  let table = `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n`
  for (const [index, object] of objects.entries()) {
    const part = Buffer.concat([Buffer.from(`${index + 1} 0 obj\n`), object, Buffer.from('\nendobj\n')])
    table += `${String(length).padStart(10, '0')} 00000 n \n`
    parts.push(part)
    length += part.length
  }
  const trailer = `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${length}\n%%EOF\n`
  return Buffer.concat([...parts, Buffer.from(table + trailer)])
}

function dictionary(entries: string): Buffer {
  return Buffer.from(`<< ${entries} >>`)
}

function stream(entries: string, data: Buffer): Buffer {
  return Buffer.concat([
    dictionary(`${entries} /Length ${data.length}`),
    Buffer.from('\nstream\n'),
    data,
    Buffer.from('\nendstream'),
  ])
}

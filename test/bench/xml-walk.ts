import { SaxesParser } from 'saxes'
import { defaultXmlLimits, readTree, XmlReader } from '../../src/wire/xml.ts'

/** The largest answer that is measured has 10,000 entries. */
const limits = { ...defaultXmlLimits, maxBytes: 256 * 1024 * 1024, maxNodes: 10_000_000 }

/** Ways to walk a FindDocuments answer without decoding anything; each gives the number of elements it saw. */
export const walks: Readonly<Record<'reader' | 'tree' | 'saxes', (bytes: Buffer) => number>> = {
  /** As the decoders read it: one subtree per registry object. */
  reader(bytes) {
    const reader = new XmlReader(bytes, limits)
    let elements = 0
    for (let found = reader.next(); found !== 'eof'; found = reader.next()) {
      if (found === 'start') elements += reader.local() === 'ExtrinsicObject' ? reader.subtree().records.count : 1
    }
    return elements
  },
  tree: (bytes) => readTree(bytes, limits).records.count,
  /** The fastest strict parser of the registry, with empty handlers, to compare with. */
  saxes(bytes) {
    let elements = 0
    const parser = new SaxesParser({ xmlns: true })
    parser.on('opentag', () => {
      elements++
    })
    parser.on('closetag', () => undefined)
    parser.on('text', () => undefined)
    parser.write(bytes.toString('utf8')).close()
    return elements
  },
}

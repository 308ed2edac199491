import { LinkspanError } from '../base/errors.ts'

const topicCharactersMax = 249

/** What the mirror of a topic is called on a link. Throws when another name was asked for. */
export function mirrorName(sourceTopic: string, prefix: string | null, wanted: string | undefined): string {
  const name = `${prefix ?? ''}${sourceTopic}`
  if (wanted === undefined || wanted === name) return name
  const rule = prefix === null ? "the source topic's own name" : `the link's prefix and the source's name, '${name}'`
  const text = `Topic renaming for mirroring not yet supported: the mirror of '${sourceTopic}' has to have ${rule}`
  throw new LinkspanError('unsupported', text)
}

/** Kafka's own rules, and ours: internal topics are not mirrored. Throws `invalid-request`. */
export function checkTopicName(name: string): void {
  const invalid = (problem: string) => {
    const shown = JSON.stringify(name.slice(0, topicCharactersMax))
    const details = { errorCode: 40002 }
    return new LinkspanError('invalid-request', `${shown} cannot be the name of a mirror topic: ${problem}`, {
      details,
    })
  }
  if (name.length === 0 || name.length > topicCharactersMax) throw invalid(`1 to ${topicCharactersMax} characters long`)
  if (!/^[A-Za-z0-9._-]+$/.test(name)) throw invalid('letters, digits, dots, hyphens and underscores only')
  if (name === '.' || name === '..') throw invalid('Kafka does not take it')
  if (name.startsWith('__')) throw invalid('topics that begin with two underscores are internal')
}

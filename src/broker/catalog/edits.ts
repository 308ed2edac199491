import { alwaysSyncedTopicConfigs } from '../../contract/config-keys-behaviour.ts'
import { listItems } from './config-values.ts'
import { done, type Outcome, refused } from './outcome.ts'
import { checkTopicConfigs, mirrorConfigKey, topicConfigKeys } from './topic-configs.ts'
import type { Topic } from './types.ts'

/** What is set on a topic. */
export type TopicSettings = Pick<Topic, 'configs' | 'mirrorId'>

export type ConfigEdit =
  | { readonly name: string; readonly operation: 'set' | 'append' | 'subtract'; readonly value: string }
  | { readonly name: string; readonly operation: 'delete' }

export interface Editor {
  /** Our own daemon, which alone sees and changes whose mirror a topic is. */
  readonly internal: boolean
  /** The broker's values for all topics: what a list begins from that is not set. */
  readonly defaults: Readonly<Record<string, string>>
}

/** The settings after single changes, as IncrementalAlterConfigs makes them. */
export function editSettings(topic: Topic, edits: readonly ConfigEdit[], editor: Editor): Outcome<TopicSettings> {
  const given: Record<string, string> = { ...topic.configs }
  let { mirrorId } = topic
  for (const edit of edits) {
    if (editor.internal && edit.name === mirrorConfigKey) {
      const entry = mirrorEntry(edit.operation === 'delete' ? undefined : edit.value)
      if (!entry.ok) return entry
      mirrorId = entry.value
      continue
    }
    const edited = editValue(given, edit, editor)
    if (!edited.ok) return edited
    if (edited.value === undefined) delete given[edit.name]
    else given[edit.name] = edited.value
  }
  return judgeSettings(topic, given, mirrorId, editor)
}

function editValue(given: Record<string, string>, edit: ConfigEdit, editor: Editor): Outcome<string | undefined> {
  const { name } = edit
  if (edit.operation === 'delete') return done(undefined)
  if (edit.operation === 'set') return done(edit.value)
  const key = Object.hasOwn(topicConfigKeys, name) ? topicConfigKeys[name] : undefined
  if (key?.type !== 'list') {
    const operation = edit.operation.toUpperCase()
    return refused('INVALID_CONFIG', `Can't ${operation} to key ${name} because its type is not LIST.`)
  }
  const items = new Set(listItems(given[name] ?? editor.defaults[name] ?? key.default))
  for (const item of listItems(edit.value)) {
    if (edit.operation === 'append') items.add(item)
    else items.delete(item)
  }
  return done([...items].join(','))
}

/**
 * The settings when these are all, as AlterConfigs makes them. Whose mirror the topic is changes only where it is
 * named: nobody ends a mirror by leaving something out.
 */
export function replaceSettings(
  topic: Topic,
  configs: Readonly<Record<string, string>>,
  editor: Editor,
): Outcome<TopicSettings> {
  const { [mirrorConfigKey]: mirror, ...rest } = configs
  if (!editor.internal || mirror === undefined) return judgeSettings(topic, { ...configs }, topic.mirrorId, editor)
  const entry = mirrorEntry(mirror)
  return entry.ok ? judgeSettings(topic, rest, entry.value, editor) : entry
}

/** While the topic is a mirror these follow its source, or keep the copy exact. */
const mirrorKeys: ReadonlySet<string> = new Set([
  ...alwaysSyncedTopicConfigs,
  'message.timestamp.before.max.ms',
  'message.timestamp.after.max.ms',
])

function judgeSettings(
  topic: Topic,
  given: Record<string, string>,
  mirrorId: string | null,
  editor: Editor,
): Outcome<TopicSettings> {
  const checked = checkTopicConfigs(given)
  if (!checked.ok) return checked
  const configs = checked.value
  if (topic.mirrorId !== null && !editor.internal) {
    const changed = [...mirrorKeys].filter((name) => configs[name] !== topic.configs[name])
    if (changed.length > 0) {
      const text = `Cannot modify mirror topic ${topic.name} because '${changed.join(', ')}' are set to always sync`
      return refused('INVALID_REQUEST', text)
    }
  }
  return done({ configs, mirrorId })
}

/** The value of `linkspan.mirror.id`; nothing, or an empty one, means no mirror. */
export function mirrorEntry(value: string | undefined): Outcome<string | null> {
  if (value === undefined || value === '') return done(null)
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value)) return done(value)
  return refused('INVALID_CONFIG', `Invalid value ${value} for configuration ${mirrorConfigKey}: Not a UUID`)
}

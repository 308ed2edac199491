import { defaultOf, isNullable, layOut, type PlacedField } from '../../src/wire/layout.ts'
import type { Field, Struct } from '../../src/wire/schema.ts'
import { jarEntries } from './jar-entries.ts'
import { type KafkaVersion, kafkaJars } from './jars.ts'

/** A message as Kafka's own definition files describe it. */
export interface KafkaMessage {
  apiKey: number
  name: string
  validVersions: string
  flexibleVersions: string
  fields: KafkaField[]
  commonStructs?: { name: string; versions: string; fields: KafkaField[] }[]
}

interface KafkaField {
  name: string
  type: string
  versions: string
  nullableVersions?: string
  taggedVersions?: string
  tag?: number
  default?: string | number | boolean
  ignorable?: boolean | string
  fields?: KafkaField[]
}

/** One field in one version, in the form in which ours and Kafka's are compared. */
export interface FieldShape {
  name: string
  type: string
  nullable: boolean
  tag?: number
  default?: string
  fields?: FieldShape[]
}

/** Kafka's definitions by message name, from the kafka-clients jar. */
export async function kafkaMessages(version: KafkaVersion): Promise<Map<string, KafkaMessage>> {
  const { clientsJar } = await kafkaJars(version)
  const texts = await jarEntries(clientsJar, (name) => /^common\/message\/.*\.json$/.test(name))
  const messages = [...texts.values()].map((text) => JSON.parse(text.replace(/^\s*\/\/.*$/gm, '')) as KafkaMessage)
  return new Map(messages.map((message) => [message.name, message]))
}

export function versionRange(text: string): [min: number, max: number] {
  if (text === 'none') return [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  const [, min, open, max] = /^(\d+)(?:(\+)|-(\d+))?$/.exec(text.trim())!
  return [Number(min), open ? Number.POSITIVE_INFINITY : Number(max ?? min)]
}

function covers(range: string | undefined, version: number): boolean {
  if (range === undefined) return false
  const [min, max] = versionRange(range)
  return version >= min && version <= max
}

/** Kafka's fields of a version, in the order of the wire. */
export function kafkaShape(message: KafkaMessage, fields: KafkaField[], version: number): FieldShape[] {
  const present = fields.filter((field) => covers(field.versions, version))
  const shapes = present.map((field) => ({ field, shape: kafkaFieldShape(message, field, version) }))
  return inWireOrder(shapes.map(({ shape }) => shape))
}

function kafkaFieldShape(message: KafkaMessage, field: KafkaField, version: number): FieldShape {
  const isArray = field.type.startsWith('[]')
  const item = isArray ? field.type.slice(2) : field.type
  const isStruct = /^[A-Z]/.test(item)
  const tagged = covers(field.taggedVersions, version)
  const inner = field.fields ?? message.commonStructs?.find(({ name }) => name === item)?.fields
  return {
    name: field.name.replace(/^./, (letter) => letter.toLowerCase()),
    type: (isArray ? '[]' : '') + (isStruct ? 'struct' : item),
    nullable: covers(field.nullableVersions, version),
    ...(tagged && { tag: field.tag! }),
    ...(!(isStruct && !isArray) && { default: kafkaDefault(field, isArray ? 'array' : item) }),
    ...(isStruct && { fields: kafkaShape(message, inner!, version) }),
  }
}

function kafkaDefault(field: KafkaField, type: string): string {
  const text = field.default === undefined ? '' : String(field.default)
  if (text === 'null') return 'null'
  switch (type) {
    case 'array':
      return '[]'
    case 'bool':
      return text || 'false'
    case 'string':
      return JSON.stringify(text)
    case 'bytes':
      return 'no bytes'
    case 'records':
      return 'null'
    case 'uuid':
      return 'zero'
    default:
      return BigInt(text || 0).toString()
  }
}

/** Our fields of a version, in the order of the wire. */
export function ourShape(fields: Struct, version: number, flexible: boolean): FieldShape[] {
  const { plain, tagged } = layOut(fields, version, flexible)
  const shape = ({ name, field }: PlacedField) => ourFieldShape(name, field, version, flexible)
  return inWireOrder([...plain.map(shape), ...tagged.map((one) => ({ ...shape(one), tag: one.tag }))])
}

function ourFieldShape(name: string, field: Field, version: number, flexible: boolean): FieldShape {
  const isArray = field.type === 'array'
  const item = isArray ? field.item! : field
  const type = item.type === 'int64Bits' ? 'int64' : item.type
  return {
    name,
    type: (isArray ? '[]' : '') + type,
    nullable: isNullable(field, version),
    ...(field.type !== 'struct' && { default: ourDefault(field) }),
    ...(item.type === 'struct' && { fields: ourShape(item.struct!, version, flexible) }),
  }
}

function ourDefault(field: Field): string {
  const value = defaultOf(field)
  if (Array.isArray(value)) return '[]'
  if (value instanceof Uint8Array) return 'no bytes'
  if (value === null) return 'null'
  if (field.type === 'uuid') return /^[0-]+$/.test(value as string) ? 'zero' : String(value)
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}

/** Untagged fields as listed, then tagged ones by their tags: a definition may list those anywhere. */
function inWireOrder(shapes: FieldShape[]): FieldShape[] {
  const tagged = shapes.filter(({ tag }) => tag !== undefined).sort((left, right) => left.tag! - right.tag!)
  return [...shapes.filter(({ tag }) => tag === undefined), ...tagged]
}

/** Paths of the fields of a message that may be dropped in silence where a version lacks them. */
export function kafkaIgnorable(message: KafkaMessage, [min, max]: readonly [number, number]): string[] {
  const paths = (fields: KafkaField[], above: string, bounds: [number, number]): string[] => {
    return fields.flatMap((field) => {
      const [from, to] = versionRange(field.versions)
      const inside: [number, number] = [Math.max(from, bounds[0]), Math.min(to, bounds[1])]
      if (inside[0] > inside[1]) return []
      const path = above + field.name.replace(/^./, (letter) => letter.toLowerCase())
      const partial = inside[0] > bounds[0] || inside[1] < bounds[1]
      const own = partial && String(field.ignorable) === 'true' ? [path] : []
      return [...own, ...paths(field.fields ?? [], `${path}.`, inside)]
    })
  }
  return paths(message.fields, '', [min, max]).sort()
}

export function ourIgnorable(fields: Struct, above = ''): string[] {
  return Object.entries(fields)
    .flatMap(([name, field]) => {
      const inner = field.struct ?? field.item?.struct
      const own = field.options.ignorable ? [above + name] : []
      return [...own, ...(inner ? ourIgnorable(inner, `${above}${name}.`) : [])]
    })
    .sort()
}

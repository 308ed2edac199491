import { type TSchema, Type } from 'typebox'

/** What the shapes of LXD's dialect are made of; see `v1.ts`. */
export const Text = Type.String()
export const Texts = Type.Array(Text)
export const given = <Schema extends TSchema>(schema: Schema) => Type.Optional(Type.Union([schema, Type.Null()]))
export const choice = <const Values extends readonly string[]>(values: Values) => {
  return Type.Unsafe<Values[number]>({ type: 'string', enum: values })
}
export const TextMap = Type.Record(Text, Text)
/** A list: the URLs of things or, with `recursion=1`, the things. */
export const listOf = <Schema extends TSchema>(schema: Schema) => Type.Array(Type.Union([Text, schema]))

/** Values of a config map: LXD's clients send texts, people also write numbers and booleans. */
export const ConfigInput = Type.Record(Text, Type.Union([Text, Type.Number(), Type.Boolean(), Type.Null()]))

export const AccessEntitlements = Type.Optional(Texts)

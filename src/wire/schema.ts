/**
 * The Kafka protocol as data. A message is a struct: field name → field; a field is a type plus the versions in which
 * it appears. Both directions are compiled from the same data (`codec.ts`), and static types are inferred from it.
 */

export type Scalar =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'int64Bits'
  | 'float64'
  | 'string'
  | 'bytes'
  | 'records'
  | 'uuid'

/** Version bounds are inclusive. A missing bound means "as far as the message goes". */
export interface FieldOptions {
  from?: number
  to?: number
  /** From this version on the value may be null. */
  nullable?: number
  /** Tag number of a tagged field, and the first version in which it is tagged. */
  tag?: number
  tagFrom?: number
  /** Value of a field that is absent from the version or omitted by the caller. Kafka's zero value when not given. */
  default?: unknown
  /** In versions without the field, a value other than the default may be dropped in silence. */
  ignorable?: boolean
  /** A string or array that stays in its long form although the message is flexible (request header only). */
  rigid?: boolean
}

export interface Field<T = unknown> {
  readonly type: Scalar | 'array' | 'struct'
  readonly item?: Field | undefined
  readonly struct?: Struct | undefined
  readonly options: FieldOptions
  /** Carries the static type; never has a value. */
  readonly phantom?: T
}

export type Struct = { readonly [name: string]: Field }

/** What decoding yields: every field, defaults filled in. */
export type Decoded<S extends Struct> = { [K in keyof S]: S[K] extends Field<infer T> ? T : never }

/** What encoding takes: any field may be left out and then has its default. */
export type Input<T> = T extends Uint8Array | string | number | bigint | boolean | null
  ? T
  : T extends (infer I)[]
    ? Input<I>[]
    : T extends object
      ? { [K in keyof T]?: Input<T[K]> | undefined }
      : T

type Nullable<O extends FieldOptions, T> = O extends { nullable: number } ? T | null : T

function scalar<T>(type: Scalar) {
  return <const O extends FieldOptions = Record<never, never>>(options?: O): Field<Nullable<O, T>> => ({
    type,
    options: options ?? {},
  })
}

export const bool = scalar<boolean>('bool')
export const int8 = scalar<number>('int8')
export const int16 = scalar<number>('int16')
export const uint16 = scalar<number>('uint16')
export const int32 = scalar<number>('int32')
export const uint32 = scalar<number>('uint32')
/** Safe integers only: offsets, timestamps, sizes. */
export const int64 = scalar<number>('int64')
/** All 64 bits as a bigint: producer ids. */
export const int64Bits = scalar<bigint>('int64Bits')
export const float64 = scalar<number>('float64')
export const string = scalar<string>('string')
/** A view into the frame, never a copy. */
export const bytes = scalar<Uint8Array>('bytes')
/** Record batches as stored; a view into the frame. Null when there are none. */
export function records(options: FieldOptions = {}): Field<Uint8Array | null> {
  return { type: 'records', options: { nullable: 0, ...options } }
}
/** Dashed lower-case text; all zeroes when unset. */
export const uuid = scalar<string>('uuid')

export const zeroUuid = '00000000-0000-0000-0000-000000000000'

export function array<T, const O extends FieldOptions = Record<never, never>>(
  item: Field<T>,
  options?: O,
): Field<Nullable<O, T[]>>
export function array<const S extends Struct, const O extends FieldOptions = Record<never, never>>(
  item: S,
  options?: O,
): Field<Nullable<O, Decoded<S>[]>>
export function array(item: Field | Struct, options: FieldOptions = {}): Field<never> {
  return { type: 'array', item: isField(item) ? item : struct(item), options } as Field<never>
}

export function struct<const S extends Struct, const O extends FieldOptions = Record<never, never>>(
  fields: S,
  options?: O,
): Field<Nullable<O, Decoded<S>>> {
  return { type: 'struct', struct: fields, options: options ?? {} }
}

function isField(item: Field | Struct): item is Field {
  return typeof item.type === 'string'
}

export interface Api<Q extends Struct = Struct, P extends Struct = Struct> {
  /** Kafka's API key. */
  readonly key: number
  readonly name: string
  /** First and last version that we speak, both inclusive. */
  readonly versions: readonly [min: number, max: number]
  /** First version in the flexible (compact, tagged) form. */
  readonly flexible: number
  readonly request: Q
  readonly response: P
}

export function defineApi<const Q extends Struct, const P extends Struct>(api: Api<Q, P>): Api<Q, P> {
  return api
}

export type RequestOf<A extends Api> = Decoded<A['request']>
export type ResponseOf<A extends Api> = Decoded<A['response']>
export type RequestInput<A extends Api> = Input<RequestOf<A>>
export type ResponseInput<A extends Api> = Input<ResponseOf<A>>

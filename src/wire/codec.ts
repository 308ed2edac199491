import { LinkspanError } from '../base/errors.ts'
import type { Reader } from '../bytes/reader.ts'
import type { Writer } from '../bytes/writer.ts'
import { codecFor } from './compile.ts'
import type { Api, Decoded, Input, RequestInput, RequestOf, ResponseInput, ResponseOf, Struct } from './schema.ts'

export function isFlexible(api: Api, version: number): boolean {
  return version >= api.flexible
}

export function encodeRequestBody<A extends Api>(api: A, version: number, body: RequestInput<A>, writer: Writer): void {
  checkVersion(api, version)
  codecFor(api.request, version, isFlexible(api, version)).encode(writer, body as Record<string, unknown>)
}

export function decodeRequestBody<A extends Api>(api: A, version: number, reader: Reader): RequestOf<A> {
  checkVersion(api, version)
  return codecFor(api.request, version, isFlexible(api, version)).decode(reader) as RequestOf<A>
}

export function encodeResponseBody<A extends Api>(
  api: A,
  version: number,
  body: ResponseInput<A>,
  writer: Writer,
): void {
  checkVersion(api, version)
  codecFor(api.response, version, isFlexible(api, version)).encode(writer, body as Record<string, unknown>)
}

export function decodeResponseBody<A extends Api>(api: A, version: number, reader: Reader): ResponseOf<A> {
  checkVersion(api, version)
  return codecFor(api.response, version, isFlexible(api, version)).decode(reader) as ResponseOf<A>
}

/** A struct outside an API, such as the value of an internal topic's record. */
export function decodeStruct<S extends Struct>(fields: S, version: number, flexible: boolean, reader: Reader) {
  return codecFor(fields, version, flexible).decode(reader) as Decoded<S>
}

export function encodeStruct<S extends Struct>(
  fields: S,
  version: number,
  flexible: boolean,
  value: Input<Decoded<S>>,
  writer: Writer,
): void {
  codecFor(fields, version, flexible).encode(writer, value as Record<string, unknown>)
}

/** Throws `unsupported` for a version that the API's data does not cover. */
export function checkVersion(api: Api, version: number): void {
  if (Number.isInteger(version) && version >= api.versions[0] && version <= api.versions[1]) return
  throw new LinkspanError('unsupported', `${api.name} version ${version} is not spoken here`)
}

import { Reader } from '../bytes/reader.ts'
import { Writer } from '../bytes/writer.ts'
import {
  checkVersion,
  decodeResponseBody,
  decodeStruct,
  encodeRequestBody,
  encodeResponseBody,
  encodeStruct,
  isFlexible,
} from './codec.ts'
import { type Api, type RequestInput, type ResponseInput, type ResponseOf, string } from './schema.ts'

/** ApiVersions answers always have the old header, so that a client can read them before it knows the version. */
const apiVersionsKey = 18

export interface RequestHeader {
  apiKey: number
  apiVersion: number
  correlationId: number
  clientId: string | null
}

/** Codecs are compiled once for each struct object: this one has to be the same every time. */
const noFields = {}
const clientIdField = { clientId: string({ nullable: 0, rigid: true }) }

/** A whole request frame, size included, as the pieces of one vectored write. */
export function encodeRequest<A extends Api>(
  api: A,
  version: number,
  correlationId: number,
  clientId: string | null,
  body: RequestInput<A>,
): Uint8Array[] {
  checkVersion(api, version)
  const writer = new Writer()
  writer.int32(0)
  writer.int16(api.key)
  writer.int16(version)
  writer.int32(correlationId)
  encodeStruct(clientIdField, 0, false, { clientId }, writer)
  if (isFlexible(api, version)) writer.uvarint(0)
  encodeRequestBody(api, version, body, writer)
  return sealFrame(writer)
}

/** A whole response frame, size included. */
export function encodeResponse<A extends Api>(
  api: A,
  version: number,
  correlationId: number,
  body: ResponseInput<A>,
): Uint8Array[] {
  checkVersion(api, version)
  const writer = new Writer()
  writer.int32(0)
  writer.int32(correlationId)
  if (isFlexible(api, version) && api.key !== apiVersionsKey) writer.uvarint(0)
  encodeResponseBody(api, version, body, writer)
  return sealFrame(writer)
}

/** Reads the fixed part of a request header (a frame without its size); the rest depends on the API's version. */
export function decodeRequestHeader(reader: Reader): RequestHeader {
  const apiKey = reader.int16()
  const apiVersion = reader.int16()
  const correlationId = reader.int32()
  const { clientId } = decodeStruct(clientIdField, 0, false, reader)
  return { apiKey, apiVersion, correlationId, clientId }
}

/** Moves past the tagged fields of a flexible header without keeping any. */
export function skipTaggedFields(reader: Reader): void {
  decodeStruct(noFields, 0, true, reader)
}

/** Decodes a response frame (without its size). The caller has matched the correlation id. */
export function decodeResponse<A extends Api>(api: A, version: number, frame: Uint8Array): ResponseOf<A> {
  const reader = new Reader(frame, 4)
  if (isFlexible(api, version) && api.key !== apiVersionsKey) skipTaggedFields(reader)
  return decodeResponseBody(api, version, reader)
}

function sealFrame(writer: Writer): Uint8Array[] {
  writer.patchFirst32(writer.length - 4)
  return writer.chunks()
}
